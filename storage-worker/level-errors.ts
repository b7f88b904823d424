import { ArchiveError, type ErrorCode } from '../core/index.ts'

/** What an opening failed with: STORE_LOCKED, STORE_DATABASE_DAMAGED, STORE_DISK_FULL or STORE_OPEN_FAILED. */
export function wrapOpenError(cause: unknown, name: string): ArchiveError {
  const inner = innermost(cause)
  const code = (inner as { code?: unknown }).code
  if (code === 'LEVEL_LOCKED' || /\bLOCK\b.*(Resource temporarily unavailable|already held)/i.test(String(inner))) {
    return new ArchiveError('STORE_LOCKED', `${name} is open in another process`, { name }, cause)
  }
  // A file that LevelDB names and that is not there: CURRENT or the manifest is damaged.
  const isLost = /IO error: .*No such file or directory|create_if_missing is false/i.test(inner.message)
  if (code === 'LEVEL_CORRUPTION' || isLost || /^\S*\s*Corruption/i.test(inner.message)) {
    return new ArchiveError('STORE_DATABASE_DAMAGED', `${name} does not open: ${inner.message}`, { name }, cause)
  }
  return wrapLevelError(cause, 'STORE_OPEN_FAILED', name)
}

/** STORE_DISK_FULL when that is why, otherwise `code`; what has a code already keeps it. */
export function wrapLevelError(cause: unknown, code: ErrorCode, name: string): ArchiveError {
  if (cause instanceof ArchiveError) return cause
  const inner = innermost(cause)
  return new ArchiveError(isDiskFull(cause) ? 'STORE_DISK_FULL' : code, `${name}: ${inner.message}`, { name }, cause)
}

function innermost(error: unknown): Error {
  let inner = error instanceof Error ? error : new Error(String(error))
  while (inner.cause instanceof Error) inner = inner.cause
  return inner
}

export function isDiskFull(error: unknown): boolean {
  const inner = innermost(error)
  const code = (inner as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') return true
  return /ENOSPC|No space left on device|Disk quota exceeded/.test(inner.message)
}
