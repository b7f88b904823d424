import {
  compareAddresses,
  computeHashSlot,
  computeHoldersInSteps,
  computePlacementRootInSteps,
  type HolderPass,
  type PlacementSnapshot,
  type SlotHolders,
} from '../../core/index.ts'
import type { PlacementReading } from './read-placement.ts'
import { runInSlices } from './run-in-slices.ts'

/**
 * Periods into an era from which on its placement is in force: by then the start of the era is final everywhere, and
 * every machine can have read it.
 */
export const PLACEMENT_IN_FORCE_PERIODS = 8

/** A node that holds a chunk. */
export interface Holder {
  readonly address: string
  /** What it offers, as the era counts it. */
  readonly placementGb: bigint
  /** 1: of another operator and network than those before it; 2: of another network; 3: of neither. */
  readonly pass: HolderPass
}

export interface ChunkHolders {
  readonly hashSlot: number
  /** In order of rank: the first is the primary one. Fewer than the era's replicas where nodes or room lack. */
  readonly holders: readonly Holder[]
  /** True when two of them share operator or network. */
  readonly clustered: boolean
}

/** Who holds what in one era. */
export class PlacementTable {
  readonly snapshot: PlacementSnapshot
  /** Copies that the settings of the registry ask for. */
  readonly replicationFactor: number
  /** 32 bytes over the permanent holders: what era signatures name. */
  readonly root: Uint8Array
  /**
   * Permanent copies are what counts. False where there are nodes and none of them keeps for ever: then the table has
   * the holders of a new chunk, of all nodes, however long they keep.
   */
  readonly keepsForEver: boolean
  /** The least number of holders that a hash slot has. */
  readonly fewestHolders: number
  private readonly slots: readonly SlotHolders[]
  private readonly gbOf: ReadonlyMap<string, bigint>

  /** @param parts what `computePlacementTable` found */
  constructor(
    { snapshot, replicationFactor }: PlacementReading,
    parts: { readonly root: Uint8Array; readonly slots: readonly SlotHolders[]; readonly keepsForEver: boolean },
  ) {
    this.snapshot = snapshot
    this.replicationFactor = replicationFactor
    this.root = parts.root
    this.keepsForEver = parts.keepsForEver
    this.slots = parts.slots
    this.fewestHolders = parts.slots.reduce(
      (fewest, { addresses }) => Math.min(fewest, addresses.length),
      this.replicas,
    )
    this.gbOf = new Map(snapshot.nodes.map(({ address, placementGb }) => [address, placementGb]))
  }

  get era(): number {
    return this.snapshot.era
  }

  /** r: how many copies of each chunk there are to be in this era. */
  get replicas(): number {
    return this.snapshot.replicas
  }

  /** Who holds a chunk, by its id of 32 bytes. */
  holdersOf(chunkId: Uint8Array): ChunkHolders {
    return this.holdersIn(computeHashSlot(chunkId))
  }

  holdersIn(hashSlot: number): ChunkHolders {
    const { addresses = [], passes = [], clustered = false } = this.slots[hashSlot] ?? {}
    const holders = addresses.map((address, i): Holder => {
      return { address, placementGb: this.gbOf.get(address) ?? 0n, pass: passes[i] ?? 1 }
    })
    return { hashSlot, holders, clustered }
  }

  /** Hash slots that a node holds, ascending. */
  slotsOf(address: string): number[] {
    return this.slots.flatMap(({ addresses }, hashSlot) => (addresses.includes(address) ? [hashSlot] : []))
  }

  /** Of how many of these chunks a node is the primary holder; by address. */
  countPrimaries(chunkIds: Iterable<Uint8Array>): Record<string, number> {
    const counts = new Map<string, number>()
    for (const chunkId of chunkIds) {
      const [primary] = this.slots[computeHashSlot(chunkId)]?.addresses ?? []
      if (primary !== undefined) counts.set(primary, (counts.get(primary) ?? 0) + 1)
    }
    return Object.fromEntries([...counts].sort(([a], [b]) => compareAddresses(a, b)))
  }
}

/**
 * Computes who holds what, in slices: about 2 ms for each node, in all.
 *
 * @throws what `signal` was aborted with; ArchiveError CORE_NUMBER_OUT_OF_RANGE for a snapshot that is none
 */
export async function computePlacementTable(reading: PlacementReading, signal?: AbortSignal): Promise<PlacementTable> {
  const { snapshot } = reading
  const permanent = await runInSlices(computeHoldersInSteps(snapshot), { signal })
  const lists = permanent.map(({ addresses }) => addresses)
  const root = await runInSlices(computePlacementRootInSteps(snapshot.network, snapshot.era, lists), { signal })
  const { nodes, requireAnchors } = snapshot
  const keepsForEver =
    requireAnchors || nodes.length === 0 || nodes.some(({ retentionPeriods }) => retentionPeriods === 0n)
  const slots = keepsForEver
    ? permanent
    : await runInSlices(computeHoldersInSteps(snapshot, { kind: 'recent', agePeriods: 0 }), { signal })
  return new PlacementTable(reading, { root, slots, keepsForEver })
}
