import {
  type BlockStanding,
  blockInfoToJson,
  endorsementInfoToJson,
  graphBlockToJson,
  SLOT_MS,
  slotIndex,
  THREAD_COUNT,
} from '../../../../core/index.ts'
import { BLOCK_STATUS } from '../../../../telemetry/grpc/status-codes.ts'
import {
  blockId,
  checkCount,
  endorsementId,
  ListAnswer,
  listMethod,
  method,
  plainMethod,
  slot,
  timeInterval,
} from '../../../../telemetry/json-rpc/index.ts'
import type { ChainBlock } from '../../chain/chain-block.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import { isDiscarded, listCliques } from '../cliques.ts'
import { chainBlockToJson, listEndorsements } from '../forms/block-form.ts'
import type { NodeMethod } from '../rpc-context.ts'

/** Blocks, endorsements and what consensus says of them. */
export const BLOCK_METHODS: readonly NodeMethod[] = [
  plainMethod('get_cliques', ({ chain }) =>
    listCliques(chain).map(({ blockIds, fitness, isBlockclique }) => ({
      block_ids: blockIds,
      fitness,
      is_blockclique: isBlockclique,
    })),
  ),
  listMethod('get_blocks', ['arg', blockId], ({ chain }, ids) => {
    return new ListAnswer(ids, (id) => {
      const block = chain.findBlock(id)
      return block && blockInfoToJson(id, standingOf(chain, block), chainBlockToJson(block))
    })
  }),
  method('get_blockclique_block_by_slot', ['arg', slot], ({ chain }, at) => {
    const block = at.thread < THREAD_COUNT ? chain.findCliqueBlock(slotIndex(at)) : undefined
    return block ? chainBlockToJson(block) : null
  }),
  listMethod('get_endorsements', ['arg', endorsementId], ({ chain }, ids) => {
    checkCount(ids)
    return listEndorsementInfos(chain, new Set(ids), ids)
  }),
  method('get_graph_interval', ['arg', timeInterval], ({ chain }, interval) => {
    const indexOf = (timeMs: number) => Math.ceil(Math.max(0, timeMs - chain.genesisTimestampMs) / SLOT_MS)
    const from = interval.start === undefined ? 0 : indexOf(interval.start)
    const to = interval.end === undefined ? Number.POSITIVE_INFINITY : indexOf(interval.end)
    return chain.listGraph(from, to).map((block) =>
      graphBlockToJson({
        ...block,
        isStale: isDiscarded(chain, block),
        isInBlockclique: !block.isFinal && !block.isRival,
      }),
    )
  }),
]

function standingOf(chain: DevnetChain, block: ChainBlock): BlockStanding {
  const status = chain.blockStatus(block)
  return {
    isFinal: status === BLOCK_STATUS.final,
    isInBlockclique: status === BLOCK_STATUS.blockclique,
    isCandidate: status === BLOCK_STATUS.blockclique || status === BLOCK_STATUS.alternateClique,
    isDiscarded: status === BLOCK_STATUS.discarded,
  }
}

/** Of those that are in a block which the chain still has, in the order asked for. */
function listEndorsementInfos(chain: DevnetChain, wanted: ReadonlySet<string>, order: readonly string[]): unknown[] {
  const found = new Map<string, { readonly json: unknown; readonly blocks: ChainBlock[] }>()
  for (const block of wanted.size === 0 ? [] : chain.listBlocks(0, Number.POSITIVE_INFINITY)) {
    for (const { id, json } of listEndorsements(block)) {
      if (!wanted.has(id)) continue
      const info = found.get(id) ?? { json, blocks: [] }
      info.blocks.push(block)
      found.set(id, info)
    }
  }
  return order.flatMap((id) => {
    const info = found.get(id)
    if (!info) return []
    const isFinal = info.blocks.some((block) => chain.blockStatus(block) === BLOCK_STATUS.final)
    const inBlocks = info.blocks.map((block) => block.id)
    return [endorsementInfoToJson({ id, inBlocks, isFinal, endorsement: info.json })]
  })
}
