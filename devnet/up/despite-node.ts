import { type Clock, isArchiveError } from '../../core/index.ts'
import type { NodeLink } from './node-link.ts'

/** A node that ends under one try after another does not work, nor does a chain that takes none of them. */
const MAX_TRIES = 5
/** A connection breaks a moment before the end of its process is told. */
const END_TOLD_MS = 500

export interface NodeLife {
  readonly link: Pick<NodeLink, 'waitFor'>
  readonly clock: Clock
  /** How often the node has ended so far. */
  readonly countNodeEnds: () => number
}

/**
 * Does something that needs the node, again when the node has ended under it, or an operation came into no block: so it must
 * be such that doing it twice is as doing it once.
 *
 * @throws what else `run` throws while the node lives; an AbortError
 */
export async function despiteNode<T>(run: () => Promise<T>, life: NodeLife, signal: AbortSignal): Promise<T> {
  const { link, clock, countNodeEnds } = life
  for (let tries = 1; ; tries++) {
    const ends = countNodeEnds()
    await link.waitFor(() => true, signal)
    try {
      return await run()
    } catch (error) {
      await clock.sleep(END_TOLD_MS, signal)
      signal.throwIfAborted()
      if ((countNodeEnds() === ends && !isExpired(error)) || tries === MAX_TRIES) throw error
    }
  }
}

/** A chain of many missed slots may have no block for it in time. */
function isExpired(error: unknown): boolean {
  return isArchiveError(error, 'DEVNET_STEP_FAILED') && String(error.context.said).includes('CHAIN_OPERATION_EXPIRED')
}
