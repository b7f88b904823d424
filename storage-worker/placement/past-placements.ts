import {
  computeHolderTableInSteps,
  computeLeafHash,
  computePlacementRootInSteps,
  computeTreeLevels,
  encodePlacementLeaf,
  HASH_SLOTS,
  type HolderTable,
  type PlacementSnapshot,
  pickPath,
  type Steps,
} from '../../core/index.ts'
import type { PlacementArchive } from './placement-archive.ts'
import { runInSlices } from './run-in-slices.ts'

/** Each measures some MB, and takes 2 ms for each of its nodes; challenges of one time refer to one or two eras. */
const MAX_TABLES = 3

/** Who was to hold what in an era, by permanent copies: what the placement root of the era is made of. */
export class PastPlacement {
  readonly snapshot: PlacementSnapshot
  private readonly table: HolderTable
  private addresses: readonly string[] | undefined
  private levels: readonly (readonly Uint8Array[])[] | undefined

  constructor(snapshot: PlacementSnapshot, table: HolderTable) {
    this.snapshot = snapshot
    this.table = table
  }

  /** In order of rank. */
  addressesIn(hashSlot: number): readonly string[] {
    return this.table.addressesIn(hashSlot)
  }

  /** Ascending; empty for who is no holder. */
  listSlotsOf(address: string): readonly number[] {
    const number = this.table.addresses.indexOf(address)
    return number < 0 ? [] : this.table.listSlotsOf(number)
  }

  /** All that hold a hash slot, by address bytes. */
  listHolders(): readonly string[] {
    this.addresses ??= this.table.addresses.filter((_, number) => this.table.listSlotsOf(number).length > 0)
    return this.addresses
  }

  /** What the era before says of it where it is anchored. */
  computeRoot(): Promise<Uint8Array> {
    const { network, era } = this.snapshot
    return runInSlices(computePlacementRootInSteps(network, era, (hashSlot) => this.table.addressesIn(hashSlot)))
  }

  /** From the leaf of a hash slot to the tree over the holders of all, 14 hashes from the leaf upward. */
  async computePath(hashSlot: number): Promise<Uint8Array[]> {
    this.levels ??= computeTreeLevels(await runInSlices(hashLeaves(this.table)))
    return pickPath(this.levels, hashSlot)
  }
}

function* hashLeaves(table: HolderTable): Steps<Uint8Array[]> {
  const leaves: Uint8Array[] = []
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    leaves.push(computeLeafHash(encodePlacementLeaf(hashSlot, table.addressesIn(hashSlot))))
    yield
  }
  return leaves
}

/** Makes the placements of past eras again, of what was read of the registry in them; the last ones are kept. */
export class PastPlacements {
  private readonly registry: string
  private readonly archive: Pick<PlacementArchive, 'find'>
  private readonly made = new Map<number, PastPlacement>()

  /** @param registry - its address */
  constructor(registry: string, archive: Pick<PlacementArchive, 'find'>) {
    this.registry = registry
    this.archive = archive
  }

  /** Undefined when the registry was not read here in this era, or long ago. @throws ArchiveError of the store */
  async find(era: number): Promise<PastPlacement | undefined> {
    const known = this.made.get(era)
    if (known) return known
    const reading = await this.archive.find(this.registry, era)
    if (!reading) return undefined
    const { snapshot } = reading
    const placement = new PastPlacement(snapshot, await runInSlices(computeHolderTableInSteps(snapshot)))
    this.made.set(era, placement)
    for (const old of this.made.keys()) if (this.made.size > MAX_TABLES) this.made.delete(old)
    return placement
  }
}
