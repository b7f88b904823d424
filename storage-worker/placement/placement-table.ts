import {
  compareAddresses,
  computeHashSlot,
  computeHolderTableInSteps,
  computePlacementRootInSteps,
  HASH_SLOTS,
  type HolderPass,
  type HolderTable,
  type Period,
  type PlacementSnapshot,
} from '../../core/index.ts'
import { AgedHolders, type AgedTable, listAgeClasses } from './aged-holders.ts'
import { DeepRanks } from './deep-ranks.ts'
import type { PlacementReading } from './read-placement.ts'
import { type RecentHolder, RecentHolders } from './recent-holders.ts'
import { runInSlices } from './run-in-slices.ts'

/**
 * Periods into an era from which on its placement is in force: by then the start of the era is final everywhere, and
 * every machine can have read it.
 */
export const PLACEMENT_IN_FORCE_PERIODS = 8

/** The longest that a registry may set (docs/CONTRACT.md, placementLagEras). */
const MAX_LAG_ERAS = 64

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
  /** Eras that a node has to fetch what it was given; it keeps for twice as long what it had. */
  readonly lagEras: number
  /** 32 bytes over the permanent holders: what era signatures name. */
  readonly root: Uint8Array
  /**
   * Permanent copies are what counts. False where there are nodes and none of them keeps for ever: then holders are, of all
   * nodes, those that still keep a chunk of its age. Who is to hold a chunk when it is older holds it from the beginning on.
   */
  readonly keepsForEver: boolean
  /** The least number of holders that a hash slot has. */
  readonly fewestHolders: number
  private readonly table: HolderTable
  /** Numbers of the nodes of `table`, by address. */
  private readonly numberOf: ReadonlyMap<string, number>
  /** By number. */
  private readonly placementGbs: readonly bigint[]
  private readonly deepRanks: DeepRanks
  private readonly aged: AgedHolders
  private readonly recent: RecentHolders

  /** @param parts what `computePlacementTable` found */
  constructor(
    { snapshot, replicationFactor, lagEras = MAX_LAG_ERAS }: PlacementReading,
    parts: {
      readonly root: Uint8Array
      /** Of new chunks. */
      readonly holders: HolderTable
      readonly aged: AgedHolders
      readonly recent: RecentHolders
      readonly keepsForEver: boolean
    },
  ) {
    this.snapshot = snapshot
    this.replicationFactor = replicationFactor
    this.lagEras = lagEras
    this.root = parts.root
    this.keepsForEver = parts.keepsForEver
    this.table = parts.holders
    this.aged = parts.aged
    this.recent = parts.recent
    const { addresses } = this.table
    this.numberOf = new Map(addresses.map((address, number) => [address, number]))
    const gbOf = new Map(snapshot.nodes.map(({ address, placementGb }) => [address, placementGb]))
    this.placementGbs = addresses.map((address) => gbOf.get(address) ?? 0n)
    this.deepRanks = new DeepRanks(
      addresses.map((address, number) => ({ address, placementGb: this.placementGbs[number] ?? 0n })),
    )
    let fewest = this.replicas
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) fewest = Math.min(fewest, this.table.countIn(hashSlot))
    this.fewestHolders = fewest
  }

  get era(): number {
    return this.snapshot.era
  }

  /** r: how many copies of each chunk there are to be in this era. */
  get replicas(): number {
    return this.snapshot.replicas
  }

  /** Who holds a chunk, by its id of 32 bytes. @param agePeriods - periods since its own; of a new one where it is left out */
  holdersOf(chunkId: Uint8Array, agePeriods?: Period): ChunkHolders {
    return this.holdersOfSlot(computeHashSlot(chunkId), agePeriods)
  }

  /** Nobody where there is no such hash slot. @param agePeriods - as of `holdersOf` */
  holdersOfSlot(hashSlot: number, agePeriods: Period = 0): ChunkHolders {
    const { addresses, passes, clustered } = (this.aged.at(agePeriods) ?? this.table).holdersIn(hashSlot)
    const holders = addresses.map((address, place): Holder => {
      const placementGb = this.placementGbs[this.numberOf.get(address) ?? -1] ?? 0n
      return { address, placementGb, pass: passes[place] ?? 1 }
    })
    return { hashSlot, holders, clustered }
  }

  /** Its holders, in order of rank, and behind them those of its older chunks; nobody where there is no such hash slot. */
  addressesOfSlot(hashSlot: number): readonly string[] {
    const addresses = this.table.addressesIn(hashSlot)
    const aged = this.aged.addressesIn(hashSlot)
    return aged.length === 0 ? addresses : [...new Set([...addresses, ...aged])]
  }

  /**
   * Who holds chunks of a hash slot beside its holders while they are new: nodes that keep for a time, where others keep for
   * ever. They count neither as copies nor as evidence.
   *
   * @param agePeriods - periods since a chunk's own; of any age where it is left out
   */
  recentOfSlot(hashSlot: number, agePeriods?: Period): readonly RecentHolder[] {
    return this.recent.inSlot(hashSlot, agePeriods)
  }

  /** Hash slots of which a node is to hold chunks, as one that counts or while they are new, ascending. */
  listDutySlotsOf(address: string): readonly number[] {
    return this.recent.has(address) ? this.recent.listSlotsOf(address) : this.listSlotsOf(address)
  }

  /** Whether a node is one of those that count for chunks of a hash slot, new ones or old ones. */
  isHolder(address: string, hashSlot: number): boolean {
    const number = this.numberOf.get(address)
    return (number !== undefined && this.table.isHolder(number, hashSlot)) || this.aged.isHolder(address, hashSlot)
  }

  /** Hash slots of which a node is one of those that count, ascending; a look at all 16,384. */
  listSlotsOf(address: string): readonly number[] {
    const number = this.numberOf.get(address)
    const slots = number === undefined ? [] : this.table.listSlotsOf(number)
    const aged = this.aged.listSlotsOf(address)
    return aged.length === 0 ? slots : [...new Set([...slots, ...aged])].sort((a, b) => a - b)
  }

  /**
   * Addresses of the others that hold a hash slot in which a node is a holder, or ranks first behind them: whose holdings
   * concern it. A look at all 16,384, some ms.
   */
  listNeighbours(address: string): readonly string[] {
    const number = this.numberOf.get(address)
    const neighbours = new Set<string>()
    if (number === undefined) {
      for (const hashSlot of this.recent.listSlotsOf(address)) {
        for (const holder of this.table.addressesIn(hashSlot)) neighbours.add(holder)
      }
      return [...neighbours]
    }
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      const concerns = this.isHolder(address, hashSlot) || this.table.listNext(hashSlot, 1)?.[0] === number
      if (concerns) for (const holder of this.addressesOfSlot(hashSlot)) neighbours.add(holder)
    }
    neighbours.delete(address)
    return [...neighbours]
  }

  /**
   * Addresses of the nodes that rank next when the holders of a hash slot are left out, whether they have room or not; all
   * there are when fewer than `count`.
   *
   * The first 32 ranks are kept. Farther down all nodes are ranked again, in slices, about 2 ms for each.
   *
   * @throws what `signal` was aborted with
   */
  async rankBehind(hashSlot: number, count: number, signal?: AbortSignal): Promise<readonly string[]> {
    signal?.throwIfAborted()
    if (!Number.isInteger(hashSlot) || hashSlot < 0 || hashSlot >= HASH_SLOTS || count < 1) return []
    const { addresses } = this.table
    const aged = new Set(this.aged.addressesIn(hashSlot))
    const isNoHolder = (number: number): boolean =>
      !this.table.isHolder(number, hashSlot) && !aged.has(addresses[number] ?? '')
    const next =
      this.table
        .listNext(hashSlot, count + aged.size)
        ?.filter(isNoHolder)
        .slice(0, count) ?? (await this.deepRanks.listFirst(hashSlot, count, { qualifies: isNoHolder, signal }))
    return next.map((number) => addresses[number] ?? '')
  }

  /** Of how many of these chunks a node is the primary holder; by address. */
  countPrimaries(chunkIds: Iterable<Uint8Array>): Record<string, number> {
    const counts = new Map<string, number>()
    for (const chunkId of chunkIds) {
      const [primary] = this.table.addressesIn(computeHashSlot(chunkId))
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
  const permanent = await runInSlices(computeHolderTableInSteps(snapshot), { signal })
  const { network, era, nodes, requireAnchors } = snapshot
  const root = await runInSlices(
    computePlacementRootInSteps(network, era, (hashSlot) => permanent.addressesIn(hashSlot)),
    { signal },
  )
  const weighed = nodes.filter(({ placementGb }) => placementGb > 0n)
  const timed = weighed.filter(({ retentionPeriods }) => retentionPeriods > 0n)
  const keepsForEver = requireAnchors || timed.length === 0 || timed.length < weighed.length
  const holders = keepsForEver
    ? permanent
    : await runInSlices(computeHolderTableInSteps(snapshot, { kind: 'recent', agePeriods: 0 }), { signal })
  const aged: AgedTable[] = []
  for (const { fromAge, agePeriods } of requireAnchors ? [] : listAgeClasses(timed)) {
    const steps = computeHolderTableInSteps(snapshot, { kind: 'recent', agePeriods })
    aged.push({ fromAge, holders: await runInSlices(steps, { signal }) })
  }
  if (!keepsForEver) {
    return new PlacementTable(reading, {
      root,
      holders,
      keepsForEver,
      aged: new AgedHolders(aged),
      recent: new RecentHolders([], timed),
    })
  }
  if (!requireAnchors && timed.length > 0) {
    const steps = computeHolderTableInSteps(snapshot, { kind: 'recent', agePeriods: 0 })
    aged.unshift({ fromAge: 0, holders: await runInSlices(steps, { signal }) })
  }
  return new PlacementTable(reading, {
    root,
    holders,
    keepsForEver,
    aged: new AgedHolders([]),
    recent: new RecentHolders(aged, timed),
  })
}
