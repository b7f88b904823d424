import { HASH_SLOTS, type HolderTable, type Period, type RegisteredNode } from '../../core/index.ts'

/** Where nodes keep for more different times than this, not each of them has a table of its own (1 MB and 2 ms for each node). */
const MAX_CLASSES = 8

/** Ages of chunks that the same nodes are asked to hold, from `fromAge` on. */
export interface AgeClass {
  readonly fromAge: Period
  /** Who keeps for longer than this holds them. */
  readonly agePeriods: Period
}

/**
 * From which ages on others than the holders of a new chunk hold it, ascending: whenever a node that keeps for a shorter
 * time lets go. Of many, some: then a node begins to hold earlier than it has to.
 *
 * @param nodes - with weight, of which none keeps for ever
 */
export function listAgeClasses(nodes: readonly Pick<RegisteredNode, 'retentionPeriods'>[]): AgeClass[] {
  const ends = [...new Set(nodes.map(({ retentionPeriods }) => toPeriod(retentionPeriods)))].sort((a, b) => a - b)
  ends.pop()
  const count = Math.min(ends.length, MAX_CLASSES)
  const chosen = Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * ends.length) / count) - 1)
  return chosen.flatMap((at, i) => {
    const fromAge = ends[(chosen[i - 1] ?? -1) + 1]
    const agePeriods = ends[at]
    return fromAge === undefined || agePeriods === undefined ? [] : [{ fromAge, agePeriods }]
  })
}

/** Who holds chunks from this age on. */
export interface AgedTable {
  readonly fromAge: Period
  readonly holders: HolderTable
}

/** Holders of chunks that the first ones let go of, by age. */
export class AgedHolders {
  private readonly tables: readonly AgedTable[]
  /** By table: its numbers. */
  private readonly numbers: readonly ReadonlyMap<string, number>[]

  /** @param tables - ascending */
  constructor(tables: readonly AgedTable[]) {
    this.tables = tables
    this.numbers = tables.map(
      ({ holders }) => new Map(holders.addresses.map((address, number): [string, number] => [address, number])),
    )
  }

  /** Undefined: those of a new chunk. */
  at(agePeriods: Period): HolderTable | undefined {
    return this.tables.findLast(({ fromAge }) => fromAge <= agePeriods)?.holders
  }

  /** At any age. */
  isHolder(address: string, hashSlot: number): boolean {
    return this.tables.some(({ holders }, i) => {
      const number = this.numbers[i]?.get(address)
      return number !== undefined && holders.isHolder(number, hashSlot)
    })
  }

  /** At any age, the youngest first. */
  addressesIn(hashSlot: number): string[] {
    return this.tables.flatMap(({ holders }) => holders.addressesIn(hashSlot))
  }

  /** Of a node, at any age. */
  listSlotsOf(address: string): number[] {
    const slots: number[] = []
    if (this.tables.length === 0) return slots
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) if (this.isHolder(address, hashSlot)) slots.push(hashSlot)
    return slots
  }
}

function toPeriod(retentionPeriods: bigint): Period {
  return retentionPeriods < BigInt(Number.MAX_SAFE_INTEGER) ? Number(retentionPeriods) : Number.MAX_SAFE_INTEGER
}
