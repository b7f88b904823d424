import { SLOT_MS, STATUS_WINDOW_MS, slotIndex, statusToJson } from '../../../../core/index.ts'
import { method, optional, plainMethod, struct, usize } from '../../../../telemetry/json-rpc/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import { describeNode } from '../../describe-node.ts'
import { isDiscarded, listCliques } from '../cliques.ts'
import type { NodeMethod, RpcContext } from '../rpc-context.ts'

const pageRequest = struct('PageRequest', { limit: usize, offset: usize })

/** The node and who makes its blocks. */
export const STATUS_METHODS: readonly NodeMethod[] = [
  plainMethod('get_status', getStatus),
  method('get_stakers', ['page_request', optional(pageRequest)], ({ chain }, page) => {
    const stakers = chain.listActiveStakers().map(({ address, rolls }) => [address, Number(rolls)])
    if (page === undefined) return stakers
    return stakers.slice(page.offset * page.limit, (page.offset + 1) * page.limit)
  }),
]

function getStatus({ chain }: RpcContext): unknown {
  return statusToJson({
    ...describeNode(chain),
    cliqueCount: listCliques(chain).length,
    pooledOperations: chain.poolSize,
    recent: countRecent(chain),
  })
}

/** Of the minute before the final cursor: at a steady pace, what became final in the last one. */
function countRecent(chain: DevnetChain): { finalBlocks: number; staleBlocks: number; finalOperations: number } {
  const finalIndex = slotIndex(chain.finalSlot)
  const counts = { finalBlocks: 0, staleBlocks: 0, finalOperations: 0 }
  for (const block of chain.listGraph(finalIndex - STATUS_WINDOW_MS / SLOT_MS + 1, finalIndex + 1)) {
    if (isDiscarded(chain, block)) counts.staleBlocks++
    if (!block.isFinal) continue
    counts.finalBlocks++
    counts.finalOperations += chain.findBlock(block.id)?.operationIds.length ?? 0
  }
  return counts
}
