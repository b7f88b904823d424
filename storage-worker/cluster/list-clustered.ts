import { computeNetworkTag, HASH_SLOTS, type RegisteredNode, type Steps } from '../../core/index.ts'
import type { ChunkHolders } from '../placement/placement-table.ts'
import type { ClusteredRow } from './cluster-report.ts'

/** A ms or so. */
const STEP_SLOTS = 512

/**
 * Hash slots whose copies are not all with different operators in different networks, by how many of each there are; the
 * worst first. In steps of 512 hash slots.
 *
 * @param chunksBySlot - chunks that were counted
 */
export function* listClusteredInSteps(
  table: {
    readonly snapshot: { readonly nodes: readonly RegisteredNode[] }
    holdersOfSlot(hashSlot: number): ChunkHolders
  },
  chunksBySlot: ReadonlyMap<number, number>,
): Steps<ClusteredRow[]> {
  const tags = new Map(
    table.snapshot.nodes.map(({ address, operator, p2pAddrs }) => {
      return [address, { operator: operator || address, network: computeNetworkTag(p2pAddrs, address) }]
    }),
  )
  const rows = new Map<string, { -readonly [K in keyof ClusteredRow]: number }>()
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    if (hashSlot % STEP_SLOTS === 0) yield
    const { holders, clustered } = table.holdersOfSlot(hashSlot)
    if (!clustered) continue
    const copies = holders.length
    const operators = new Set(holders.map(({ address }) => tags.get(address)?.operator)).size
    const networks = new Set(holders.map(({ address }) => tags.get(address)?.network)).size
    const key = `${copies} ${operators} ${networks}`
    const row = rows.get(key) ?? { copies, operators, networks, hashSlots: 0, chunks: 0 }
    row.hashSlots++
    row.chunks += chunksBySlot.get(hashSlot) ?? 0
    rows.set(key, row)
  }
  return [...rows.values()].sort((a, b) => a.operators - b.operators || a.networks - b.networks || b.chunks - a.chunks)
}
