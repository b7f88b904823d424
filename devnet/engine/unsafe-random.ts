import { computeTupleHash } from './trail.ts'

const U64 = (1n << 64n) - 1n

/**
 * The generator behind `unsafeRandom`: Xoshiro256++, seeded once a slot with the hash of the execution trail.
 *
 * Anybody can compute its numbers once the slot is known, hence its name.
 */
export class UnsafeRandom {
  private state: readonly [bigint, bigint, bigint, bigint]

  constructor(trailHash: Uint8Array) {
    const seed = computeTupleHash([new TextEncoder().encode('PRNG_SEED'), trailHash])
    const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength)
    const word = (i: number) => view.getBigUint64(8 * i, true)
    this.state = [word(0), word(1), word(2), word(3)]
  }

  /** 64 random bits. */
  nextBits(): bigint {
    let [s0, s1, s2, s3] = this.state
    const result = (rotate((s0 + s3) & U64, 23n) + s0) & U64
    const shifted = (s1 << 17n) & U64
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = rotate(s3, 45n)
    this.state = [s0, s1, s2, s3]
    return result
  }

  /** An i64, every value as likely. */
  nextSigned(): bigint {
    return BigInt.asIntN(64, this.nextBits())
  }

  /** A number in [0, 1) from the 52 highest bits. */
  nextFraction(): number {
    return Number(this.nextBits() >> 12n) / 2 ** 52
  }

  save(): unknown {
    return this.state
  }

  restore(saved: unknown): void {
    this.state = saved as typeof this.state
  }
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & U64
}
