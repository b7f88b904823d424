import { HASH_SLOTS } from './placement.ts'

/** 1: another operator and another network than all before it; 2: another network; 3: anyone with room. */
export type HolderPass = 1 | 2 | 3

/** Who holds the chunks of one hash slot. */
export interface SlotHolders {
  /** In order of rank, whichever pass chose them; fewer than `replicas` when too few nodes have room. */
  readonly addresses: readonly string[]
  /** In which pass each was chosen, in the order of `addresses`. */
  readonly passes: readonly HolderPass[]
  /** True when two of them share operator or network: one was chosen in pass 2 or 3. */
  readonly clustered: boolean
}

/** Numbers of nodes, in two bytes each where that does. */
export type NodeNumbers = Uint16Array | Uint32Array

/** @param nodes - how many there are to number */
export function createNodeNumbers(length: number, nodes: number): NodeNumbers {
  return nodes > 65_536 ? new Uint32Array(length) : new Uint16Array(length)
}

/** The first of the ranking of each hash slot, one hash slot behind the other, `places` of each. */
export interface KeptRanks {
  readonly places: number
  readonly numbers: NodeNumbers
}

/**
 * Holders of all hash slots, and who ranks first in each: 3 bytes for each holder and 2 for each rank in place of lists
 * of texts, which are 16,384 times three objects that live for two eras.
 */
export class HolderTable {
  /** Those that may be holders, by address bytes. Everywhere here a node is its number in this list. */
  readonly addresses: readonly string[]
  /** Room for the holders of one hash slot. */
  private readonly places: number
  private readonly counts = new Uint8Array(HASH_SLOTS)
  private readonly numbers: NodeNumbers
  private readonly passes: Uint8Array
  private readonly ranks: KeptRanks

  /** Without holders: they are `put`. */
  constructor(addresses: readonly string[], options: { readonly replicas: number; readonly ranks: KeptRanks }) {
    this.addresses = addresses
    this.places = Math.min(options.replicas, addresses.length)
    this.numbers = createNodeNumbers(HASH_SLOTS * this.places, addresses.length)
    this.passes = new Uint8Array(HASH_SLOTS * this.places)
    this.ranks = options.ranks
  }

  /** @param holders - in order of rank; no more than there are replicas */
  put(hashSlot: number, holders: readonly { readonly index: number; readonly pass: HolderPass }[]): void {
    const from = hashSlot * this.places
    for (const [i, { index, pass }] of holders.entries()) {
      this.numbers[from + i] = index
      this.passes[from + i] = pass
    }
    this.counts[hashSlot] = holders.length
  }

  /** 0 for a hash slot that does not exist. */
  countIn(hashSlot: number): number {
    return this.counts[hashSlot] ?? 0
  }

  /** A view, in order of rank. */
  numbersIn(hashSlot: number): NodeNumbers {
    const from = hashSlot * this.places
    return this.numbers.subarray(from, from + this.countIn(hashSlot))
  }

  isHolder(number: number, hashSlot: number): boolean {
    const from = hashSlot * this.places
    const to = from + this.countIn(hashSlot)
    for (let at = from; at < to; at++) if (this.numbers[at] === number) return true
    return false
  }

  holdersIn(hashSlot: number): SlotHolders {
    const numbers = this.numbersIn(hashSlot)
    const from = hashSlot * this.places
    const passes = Array.from(this.passes.subarray(from, from + numbers.length), toPass)
    return { addresses: this.addressesIn(hashSlot), passes, clustered: passes.some((pass) => pass > 1) }
  }

  /** In order of rank. */
  addressesIn(hashSlot: number): string[] {
    const addresses: string[] = []
    const from = hashSlot * this.places
    const to = from + this.countIn(hashSlot)
    for (let at = from; at < to; at++) addresses.push(this.addresses[this.numbers[at] ?? 0] ?? '')
    return addresses
  }

  /** Hash slots that a node holds, ascending. */
  listSlotsOf(number: number): number[] {
    const hashSlots: number[] = []
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      if (this.isHolder(number, hashSlot)) hashSlots.push(hashSlot)
    }
    return hashSlots
  }

  /**
   * Those that rank next when holders are left out, whether they have room or not; all there are when fewer than `count`.
   *
   * @returns undefined where more are asked for than are kept of the ranking
   */
  listNext(hashSlot: number, count: number): number[] | undefined {
    const { places, numbers } = this.ranks
    const next: number[] = []
    for (const number of numbers.subarray(hashSlot * places, (hashSlot + 1) * places)) {
      if (next.length === count) break
      if (!this.isHolder(number, hashSlot)) next.push(number)
    }
    return next.length === count || places === this.addresses.length ? next : undefined
  }
}

function toPass(pass: number): HolderPass {
  return pass === 1 || pass === 2 ? pass : 3
}
