import { setTimeout as sleep } from 'node:timers/promises'
import { ArchiveError } from '../core/index.ts'
import { type DaemonInfo, isHolderRunning, readDaemonInfo } from './daemon-info.ts'

/** Between LevelDB's lock and the note of its holder lies what LevelDB reads first: a log of some MB, on a busy disk. */
const WAIT_LIMIT_MS = 5_000
const LOOK_MS = 25
/** The lock may be let go meanwhile by a short command. Doubled each time: an attempt reads the files of the databases. */
const FIRST_ATTEMPT_MS = 50

interface WaitOptions {
  readonly dataDir: string
  readonly limitMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs `open` until it gets the lock or the process that has it is known: the note of one that is gone says nothing.
 *
 * @throws ArchiveError STORE_LOCKED with `pid` and `apiUrl` of the holder; without `pid` when it has not said who it is
 */
export async function openUnlessHeld<T>(
  options: WaitOptions,
  open: () => Promise<T>,
  isLocked: (error: unknown) => boolean,
): Promise<T> {
  const { dataDir, limitMs = WAIT_LIMIT_MS, signal } = options
  const startedMs = performance.now()
  let nextAttemptMs = FIRST_ATTEMPT_MS
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!isLocked(error)) throw error
      for (;;) {
        const info = await readDaemonInfo(dataDir)
        const elapsedMs = performance.now() - startedMs
        // This process does not have it open: the note is of an earlier one of the same number.
        if (info && info.pid !== process.pid && isHolderRunning(info)) throw explainHeld(dataDir, info, error)
        if (elapsedMs >= limitMs) throw explainHeld(dataDir, { apiUrl: info?.apiUrl }, error)
        if (elapsedMs >= nextAttemptMs) break
        await sleep(LOOK_MS, undefined, { signal })
      }
      nextAttemptMs *= 2
    }
  }
}

/** What whoever comes second is told. */
export function explainHeld(
  dataDir: string,
  holder: { readonly [Name in 'pid' | 'apiUrl']?: DaemonInfo[Name] | undefined },
  cause?: unknown,
): ArchiveError {
  const { pid, apiUrl } = holder
  const who = pid === undefined ? 'another process' : `process ${pid}`
  // Of a process that is not known to run it may be the address of somebody else by now.
  const where = pid === undefined || apiUrl === undefined ? '' : `, ${apiUrl}`
  return new ArchiveError('STORE_LOCKED', `${dataDir} is in use by ${who}${where}`, { dataDir, pid, apiUrl }, cause)
}
