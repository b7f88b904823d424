import type { Clock } from '../core/index.ts'
import { isArchiveError } from '../core/index.ts'
import type { Store } from '../storage-worker/index.ts'
import type { Logger } from '../telemetry/index.ts'

const RETRY_MS = 5_000

/**
 * Notes in `daemon.json` where the API listens. On a full disk that is said, and tried until there is room: no command
 * finds the sidecar meanwhile.
 *
 * @returns once it was tried; `done` resolves when it is noted or `signal` ends it
 */
export async function announce(
  apiUrl: string,
  modules: { readonly store: Pick<Store, 'announce'>; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<{ readonly done: Promise<void> }> {
  const { store, clock, log } = modules
  const attempt = async (): Promise<Error | undefined> => {
    try {
      await store.announce(apiUrl)
      return undefined
    } catch (error) {
      if (isArchiveError(error, 'STORE_DISK_FULL')) return error
      throw error
    }
  }
  const repeat = async (): Promise<void> => {
    do await clock.sleep(RETRY_MS, signal)
    while (!signal.aborted && (await attempt()))
  }
  const failure = await attempt()
  if (!failure) return { done: Promise.resolve() }
  log.warn({ err: failure, code: 'STORE_DISK_FULL', url: apiUrl }, 'address of the api not noted')
  return { done: repeat() }
}
