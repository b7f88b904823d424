import { type Clock, isArchiveError } from '../../core/index.ts'
import { isPassing } from './free-ports.ts'

/** What a network that was killed had started needs a moment to notice, and has its ports until then. */
export const ENDING_LIMIT_MS = 12_000
/** Linux keeps the port of a connection for 60 s after it was closed, and lets nobody listen there. */
const CONNECTION_LIMIT_MS = 65_000
const LOOK_MS = 500

/**
 * Chooses ports, again while they are busy: for `limitMs` where somebody listens, for some more than a minute where all that is in
 * the way are connections.
 *
 * @param onWait - told once, why
 * @throws ArchiveError DEVNET_PORT_BUSY; the reason of `signal`
 */
export async function waitForPorts<T>(
  choose: () => Promise<T>,
  { limitMs, onWait }: { readonly limitMs: number; readonly onWait: (why: string) => void },
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  const startedMs = clock.monotonicMs()
  for (let tries = 1; ; tries++) {
    try {
      return await choose()
    } catch (error) {
      if (!isArchiveError(error, 'DEVNET_PORT_BUSY')) throw error
      const mostMs = isPassing(error) ? Math.max(limitMs, CONNECTION_LIMIT_MS) : limitMs
      if (clock.monotonicMs() - startedMs >= mostMs) throw error
      if (tries === 1) onWait(`waiting for ${mostMs / 1000} s at most: ${error.message}`)
    }
    await clock.sleep(LOOK_MS, signal)
    signal.throwIfAborted()
  }
}
