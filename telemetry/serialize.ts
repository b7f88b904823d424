import { ArchiveError } from '../core/index.ts'

/** What a line shows in place of a secret. */
export const REDACTED = '[redacted]'
/** Enough to recognise bytes by, too little to flood a line. */
const MAX_SHOWN_BYTES = 32
/** Deeper than any value of ours; stops at cycles. */
const MAX_DEPTH = 6
const MAX_CAUSES = 4

/** Names of values that are secret wherever they stand, compared without case, `_` and `-`. */
const SECRET_KEYS = new Set([
  'secretkey',
  'privatekey',
  'secret',
  'seed',
  'mnemonic',
  'password',
  'passphrase',
  'wallet',
  'keystore',
  'token',
  'authorization',
])
/** A Massa secret key as text; it may stand in the middle of somebody's error message. */
const SECRET_TEXT = /\bS\d[1-9A-HJ-NP-Za-km-z]{40,}/g

/**
 * A value as it may be logged: bigint as decimal text (JSON readers round at 2^53), bytes as hex of the first 32, secrets
 * redacted by name and by look, errors with their code.
 */
export function toLogValue(value: unknown, depth = 0, withStacks = true): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return toShownHex(value)
  if (value instanceof Error) return toLogError(value, depth, withStacks)
  if (depth >= MAX_DEPTH) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => toLogValue(item, depth + 1))
  if (value instanceof Map) return toLogValue(Object.fromEntries(value), depth)
  if (value instanceof Set) return toLogValue([...value], depth)
  return toLogObject(value, depth)
}

export function toLogObject(object: object, depth = 0): Record<string, unknown> {
  const entries = Object.entries(object).map(([key, value]) => [
    key,
    SECRET_KEYS.has(key.replaceAll(/[_-]/g, '').toLowerCase()) ? REDACTED : toLogValue(value, depth + 1),
  ])
  return Object.fromEntries(entries)
}

export function redactText(text: string): string {
  return text.replaceAll(SECRET_TEXT, REDACTED)
}

/**
 * An error as fields: code, kind, what to do and context of ours; a stack only where somebody must read code. What caused
 * an error that is expected is expected, too.
 */
function toLogError(error: Error, depth: number, withStacks: boolean): Record<string, unknown> {
  const known = error instanceof ArchiveError
  const withStack = withStacks && !(known && error.kind !== 'bug')
  const code: unknown = known ? error.code : (error as NodeJS.ErrnoException).code
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code: toLogValue(code, depth + 1) }),
    ...(known ? { kind: error.kind, action: error.action, context: toLogObject(error.context, depth + 1) } : {}),
    ...(!withStack || error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: toLogValue(error.cause, depth + 1, withStack) }),
  }
}

function toShownHex(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES)).toString('hex')
  return bytes.length > MAX_SHOWN_BYTES ? `${shown}... (${bytes.length} bytes)` : shown
}
