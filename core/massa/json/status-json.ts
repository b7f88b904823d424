import { ERA_PERIODS, PERIOD_MS, type Slot, slotIndex, slotOfIndex, THREAD_COUNT } from '../../units.ts'
import { formatMas } from '../amount-text.ts'
import { OPERATION_VALIDITY_PERIODS } from '../operation.ts'

/** A node's statistics look back one minute. */
export const STATUS_WINDOW_MS = 60_000

/** What a node, or who stands in for one, says of itself and of its network. */
export interface StatusForm {
  readonly nodeId: string
  readonly version: string
  readonly nowMs: number
  readonly genesisTimestampMs: number
  readonly chainId: bigint
  /** Of `nowMs`. */
  readonly lastSlot: Slot
  /** The last slots that were executed. */
  readonly activeCursor: Slot
  readonly finalCursor: Slot
  readonly minimalFeeNanoMas: bigint
  readonly networkVersion: number
  readonly deltaF0: number
  readonly cliqueCount: number
  readonly pooledOperations: number
  /** Of the last minute. */
  readonly recent: { readonly finalBlocks: number; readonly staleBlocks: number; readonly finalOperations: number }
}

/** `get_status`, with the constants of mainnet (facts: massa-node 3.1) and no peers. */
export function statusToJson(form: StatusForm): unknown {
  const { nowMs, genesisTimestampMs, lastSlot, recent } = form
  // One era is one cycle of Massa.
  const cycle = Math.floor(lastSlot.period / ERA_PERIODS)
  const cycleStart = (n: number) => genesisTimestampMs + n * ERA_PERIODS * PERIOD_MS
  return {
    node_id: form.nodeId,
    node_ip: null,
    version: form.version,
    current_time: nowMs,
    current_cycle: cycle,
    current_cycle_time: cycleStart(cycle),
    next_cycle_time: cycleStart(cycle + 1),
    connected_nodes: {},
    last_slot: lastSlot,
    next_slot: slotOfIndex(slotIndex(lastSlot) + 1),
    consensus_stats: {
      start_timespan: nowMs - STATUS_WINDOW_MS,
      end_timespan: nowMs,
      final_block_count: recent.finalBlocks,
      stale_block_count: recent.staleBlocks,
      clique_count: form.cliqueCount,
    },
    pool_stats: [form.pooledOperations, 0],
    network_stats: {
      in_connection_count: 0,
      out_connection_count: 0,
      known_peer_count: 0,
      banned_peer_count: 0,
      active_node_count: 0,
    },
    execution_stats: {
      time_window_start: nowMs - STATUS_WINDOW_MS,
      time_window_end: nowMs,
      final_block_count: recent.finalBlocks,
      final_executed_operations_count: recent.finalOperations,
      active_cursor: form.activeCursor,
      final_cursor: form.finalCursor,
    },
    config: {
      genesis_timestamp: genesisTimestampMs,
      end_timestamp: null,
      thread_count: THREAD_COUNT,
      t0: PERIOD_MS,
      delta_f0: form.deltaF0,
      operation_validity_periods: OPERATION_VALIDITY_PERIODS,
      periods_per_cycle: ERA_PERIODS,
      block_reward: '0.40001',
      roll_price: '100',
      max_block_size: 300_000,
    },
    chain_id: Number(form.chainId),
    minimal_fees: formatMas(form.minimalFeeNanoMas),
    current_mip_version: form.networkVersion,
  }
}
