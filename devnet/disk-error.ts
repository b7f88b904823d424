import { ArchiveError, type ErrorCode } from '../core/index.ts'

/** DEVNET_DISK_FULL when that is why, otherwise the code that is given. */
export function wrapDiskError(
  cause: unknown,
  known: { readonly code: ErrorCode; readonly message: string; readonly context: Readonly<Record<string, string>> },
): ArchiveError {
  return new ArchiveError(isDiskFull(cause) ? 'DEVNET_DISK_FULL' : known.code, known.message, known.context, cause)
}

/** What the system said, below all that LevelDB says about it. */
export function innermostOf(error: unknown): NodeJS.ErrnoException {
  let inner = error instanceof Error ? error : new Error(String(error))
  while (inner.cause instanceof Error) inner = inner.cause
  return inner
}

function isDiskFull(error: unknown): boolean {
  const { code, message } = innermostOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT' || /No space left on device|Disk quota exceeded/.test(message)
}
