import type { Clock } from '../../core/index.ts'
import type { NodeCalls } from './node-link.ts'

const LOOK_MS = 200

/**
 * Resolves with the id of the first contract call that is seen to be final.
 *
 * All recent ones are asked for: at a high speed the node may have forgotten one before it is asked for.
 *
 * @param calls - ids of those that were taken lately
 * @throws an AbortError
 */
export async function waitForFinalCall(
  calls: () => readonly string[],
  modules: { readonly link: Pick<NodeCalls, 'call'>; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    signal.throwIfAborted()
    const final = await findFinal(calls(), modules.link)
    if (final !== undefined) return final
    await modules.clock.sleep(LOOK_MS, signal)
  }
}

async function findFinal(ids: readonly string[], link: Pick<NodeCalls, 'call'>): Promise<string | undefined> {
  if (ids.length === 0) return undefined
  try {
    const operations = (await link.call('get_operations', [ids])) as { id: string; is_operation_final?: boolean }[]
    return operations.find(({ is_operation_final: isFinal }) => isFinal === true)?.id
  } catch {
    // The node is away for a moment.
    return undefined
  }
}
