import { type ArchiveError, isArchiveError } from '../core/index.ts'
import type { LogFields, Logger } from '../telemetry/index.ts'

/** What the store says of itself: no node is to blame for it, and it is no bug. */
export function isStoreFailure(error: unknown): error is ArchiveError {
  return isArchiveError(error) && error.code.startsWith('STORE_') && error.kind !== 'bug'
}

/** What nobody meant to throw. */
export function isBug(error: unknown): boolean {
  return !isArchiveError(error) || error.kind === 'bug'
}

/** For work that is tried again and again: says that the store fails when it begins to or fails otherwise, and when it no longer does. */
export class StoreWatch {
  private readonly phrases: { readonly failed: string; readonly again: string }
  private readonly log: Logger
  private readonly fields: LogFields
  private failure: ArchiveError | undefined

  /** @param phrases - fixed messages of the log, for the two changes */
  constructor(phrases: { readonly failed: string; readonly again: string }, log: Logger, fields: LogFields = {}) {
    this.phrases = phrases
    this.log = log
    this.fields = fields
  }

  /** Why it fails at the moment, if so. */
  get failing(): ArchiveError | undefined {
    return this.failure
  }

  /** @throws `error` itself when it is no failure of the store */
  onError(error: unknown): ArchiveError {
    if (!isStoreFailure(error)) throw error
    const isNew = this.failure?.code !== error.code
    this.failure = error
    if (isNew) this.log.error({ ...this.fields, err: error, code: error.code }, this.phrases.failed)
    return error
  }

  onSuccess(): void {
    if (!this.failure) return
    this.failure = undefined
    this.log.info(this.fields, this.phrases.again)
  }
}
