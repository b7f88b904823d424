import { isBug } from '../../archiver/store-watch.ts'
import { ArchiveError } from '../../core/index.ts'

/**
 * What the first node says that can tell.
 *
 * @throws ArchiveError: that of the first node, ARCHIVER_NODE_UNREACHABLE when there is none; a bug of any; the reason of `signal`
 */
export async function askInTurn<N, T>(
  nodes: readonly N[],
  ask: (node: N) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  let failure: unknown
  for (const node of nodes) {
    try {
      return await ask(node)
    } catch (error) {
      signal.throwIfAborted()
      if (isBug(error)) throw error
      failure ??= error
    }
  }
  throw failure ?? new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'no massa-node is configured')
}
