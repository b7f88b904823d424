import { PERIOD_MS, SLOT_MS, slotIndex, slotOfIndex, THREAD_COUNT } from '../../../../core/index.ts'
import { formatMas, PERIODS_PER_CYCLE } from '../../../engine/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import { OPERATION_VALIDITY_PERIODS } from '../../chain/operation-pool.ts'
import { NODE_ID, NODE_SOFTWARE } from '../../node-identity.ts'
import { isDiscarded, listCliques } from '../cliques.ts'
import { method, plainMethod, type RpcContext, type RpcMethod } from '../rpc-method.ts'
import { optional, struct, usize } from '../shapes.ts'

/** A node's statistics look back one minute. */
const STATS_MS = 60_000

const pageRequest = struct('PageRequest', { limit: usize, offset: usize })

/** The node and who makes its blocks. */
export const STATUS_METHODS: readonly RpcMethod[] = [
  plainMethod('get_status', getStatus),
  method('get_stakers', ['page_request', optional(pageRequest)], ({ chain }, page) => {
    const stakers = chain.listActiveStakers().map(({ address, rolls }) => [address, Number(rolls)])
    if (page === undefined) return stakers
    return stakers.slice(page.offset * page.limit, (page.offset + 1) * page.limit)
  }),
]

function getStatus({ chain }: RpcContext): unknown {
  const { nowMs, lastSlot, genesisTimestampMs } = chain
  const cycle = Math.floor(lastSlot.period / PERIODS_PER_CYCLE)
  const cycleStart = (n: number) => genesisTimestampMs + n * PERIODS_PER_CYCLE * PERIOD_MS
  const recent = countRecent(chain)
  return {
    node_id: NODE_ID,
    node_ip: null,
    version: NODE_SOFTWARE,
    current_time: nowMs,
    current_cycle: cycle,
    current_cycle_time: cycleStart(cycle),
    next_cycle_time: cycleStart(cycle + 1),
    connected_nodes: {},
    last_slot: lastSlot,
    next_slot: slotOfIndex(slotIndex(lastSlot) + 1),
    consensus_stats: {
      start_timespan: nowMs - STATS_MS,
      end_timespan: nowMs,
      final_block_count: recent.finalBlocks,
      stale_block_count: recent.staleBlocks,
      clique_count: listCliques(chain).length,
    },
    pool_stats: [chain.poolSize, 0],
    network_stats: {
      in_connection_count: 0,
      out_connection_count: 0,
      known_peer_count: 0,
      banned_peer_count: 0,
      active_node_count: 0,
    },
    execution_stats: {
      time_window_start: nowMs - STATS_MS,
      time_window_end: nowMs,
      final_block_count: recent.finalBlocks,
      final_executed_operations_count: recent.finalOperations,
      active_cursor: chain.executedSlot,
      final_cursor: chain.finalSlot,
    },
    config: {
      genesis_timestamp: genesisTimestampMs,
      end_timestamp: null,
      thread_count: THREAD_COUNT,
      t0: PERIOD_MS,
      delta_f0: chain.options.deltaF0,
      operation_validity_periods: OPERATION_VALIDITY_PERIODS,
      periods_per_cycle: PERIODS_PER_CYCLE,
      block_reward: '0.40001',
      roll_price: '100',
      max_block_size: 300_000,
    },
    chain_id: Number(chain.chainId),
    minimal_fees: formatMas(chain.minimalFeeNanoMas),
    current_mip_version: chain.options.networkVersion,
  }
}

/** Of the minute before the final cursor: at a steady pace, what became final in the last one. */
function countRecent(chain: DevnetChain): { finalBlocks: number; staleBlocks: number; finalOperations: number } {
  const finalIndex = slotIndex(chain.finalSlot)
  const counts = { finalBlocks: 0, staleBlocks: 0, finalOperations: 0 }
  for (const block of chain.listGraph(finalIndex - STATS_MS / SLOT_MS + 1, finalIndex + 1)) {
    if (isDiscarded(chain, block)) counts.staleBlocks++
    if (!block.isFinal) continue
    counts.finalBlocks++
    counts.finalOperations += chain.findBlock(block.id)?.operationIds.length ?? 0
  }
  return counts
}
