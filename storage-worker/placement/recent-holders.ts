import type { Period, RegisteredNode } from '../../core/index.ts'
import { AgedHolders, type AgedTable } from './aged-holders.ts'

/** A node that holds a chunk while it is new. */
export interface RecentHolder {
  readonly address: string
  /** What it offers, as the era counts it. */
  readonly placementGb: bigint
  /** It holds chunks that are younger than this. */
  readonly retentionPeriods: bigint
}

/**
 * Nodes that keep for a time, and what they hold beside those that keep for ever: the first in rank of all that still keep a
 * chunk of its age. As everywhere, who is to hold a chunk when it is older holds it from the beginning on.
 *
 * Who keeps for ever holds what counts and nothing beside it, although it ranks here, too: nobody holds more than it offers.
 */
export class RecentHolders {
  private readonly holders: AgedHolders
  private readonly nodes: ReadonlyMap<string, RegisteredNode>

  /** @param timed - nodes with weight that keep for a time; none of them holds anything here without tables */
  constructor(tables: readonly AgedTable[], timed: readonly RegisteredNode[]) {
    this.holders = new AgedHolders(tables)
    this.nodes = new Map(tables.length === 0 ? [] : timed.map((node) => [node.address, node]))
  }

  has(address: string): boolean {
    return this.nodes.has(address)
  }

  /** @param agePeriods - of any age where it is left out */
  inSlot(hashSlot: number, agePeriods?: Period): RecentHolder[] {
    if (this.nodes.size === 0) return []
    const addresses =
      agePeriods === undefined
        ? new Set(this.holders.addressesIn(hashSlot))
        : (this.holders.at(agePeriods)?.addressesIn(hashSlot) ?? [])
    const recent: RecentHolder[] = []
    for (const address of addresses) {
      const node = this.nodes.get(address)
      if (node && node.retentionPeriods > BigInt(agePeriods ?? 0)) recent.push(node)
    }
    return recent
  }

  /** Ascending. */
  listSlotsOf(address: string): readonly number[] {
    return this.has(address) ? this.holders.listSlotsOf(address) : []
  }
}
