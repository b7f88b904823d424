import { createHash } from 'node:crypto'

/** Numbers that a seed decides (SplitMix64); the same on every machine. */
export class SeededRandom {
  private state: bigint

  constructor(seed: bigint) {
    // Hashed, because the streams of two neighbouring states are one stream, shifted by a draw.
    this.state = createHash('sha256').update(`seed ${seed}`).digest().readBigUInt64LE()
  }

  u64(): bigint {
    this.state = BigInt.asUintN(64, this.state + 0x9e37_79b9_7f4a_7c15n)
    let z = this.state
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn)
    return z ^ (z >> 31n)
  }

  /** 0 to `below` - 1. */
  int(below: number): number {
    return Number(this.u64() % BigInt(below))
  }

  /** `least` to `most`, both included. */
  between(least: bigint, most: bigint): bigint {
    return most <= least ? least : least + (this.u64() % (most - least + 1n))
  }

  chance(probability: number): boolean {
    return this.int(1_000_000) < probability * 1_000_000
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(items.length)]
    if (item === undefined && items.length === 0) throw new RangeError('nothing to pick from')
    return item as T
  }

  /** One of the items, or undefined when there are none. */
  pickAny<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.int(items.length)]
  }

  /** A weighted choice; weights are positive integers. */
  pickWeighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let rest = this.int(items.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, item] of items) {
      if (rest < weight) return item
      rest -= weight
    }
    throw new RangeError('nothing to pick from')
  }

  shuffle<T>(items: readonly T[]): T[] {
    const list = [...items]
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const a = list[i] as T
      list[i] = list[j] as T
      list[j] = a
    }
    return list
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(256))
  }
}
