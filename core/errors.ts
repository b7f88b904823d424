import { ERROR_CODES, type ErrorCode, type ErrorKind } from './error-codes.ts'

export type ErrorContext = Readonly<Record<string, string | number | bigint | boolean | undefined>>

/**
 * The one error class. Tests and programs look at `code`, people read `message`.
 *
 * `context` holds the values that the message speaks of; `kind` and the advice come from ERROR_CODES.
 */
export class ArchiveError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C
  readonly context: ErrorContext

  constructor(code: C, message: string, context: ErrorContext = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ArchiveError'
    this.code = code
    this.context = context
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind
  }

  /** What to do about it, one sentence. */
  get action(): string {
    return ERROR_CODES[this.code].action
  }
}

/** True when `error` is an ArchiveError, of this code if one is given. */
export function isArchiveError<C extends ErrorCode>(error: unknown, code?: C): error is ArchiveError<C> {
  return error instanceof ArchiveError && (code === undefined || error.code === code)
}
