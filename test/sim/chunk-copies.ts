import { computeHashSlot, type Period } from '../../core/index.ts'
import type { SimChain } from './sim-chain.ts'
import type { StoredPeriod } from './sim-disk.ts'

/** A chunk of the chain, and on how many disks of honest nodes it is, whether they run or not. */
interface CopiedChunk {
  readonly period: Period
  readonly index: number
  readonly hashSlot: number
  copies: number
  /** There were as many copies as there are to be at some time: from then on it must not get lost. */
  isSettled: boolean
}

/** Copies of all chunks that were ever stored. */
export class ChunkCopies {
  private readonly chain: SimChain
  private readonly replicas: number
  private readonly byPeriod = new Map<Period, readonly CopiedChunk[]>()

  constructor(replicas: number, chain: SimChain) {
    this.replicas = replicas
    this.chain = chain
  }

  /** Of a period, in their order. */
  listOf(period: Period): readonly CopiedChunk[] {
    const known = this.byPeriod.get(period)
    if (known) return known
    const { manifest } = this.chain.period(period)
    const chunks = manifest.chunks.map(({ chunkId }, index) => {
      return { period, index, hashSlot: computeHashSlot(chunkId), copies: 0, isSettled: false }
    })
    this.byPeriod.set(period, chunks)
    return chunks
  }

  note(period: Period, before: StoredPeriod | undefined, after: StoredPeriod | undefined): void {
    for (const chunk of this.listOf(period)) {
      chunk.copies += Number(isHeld(after, chunk.index)) - Number(isHeld(before, chunk.index))
      if (chunk.copies >= this.replicas) chunk.isSettled = true
    }
  }
}

/** There, and as it was written. */
export function isHeld(stored: StoredPeriod | undefined, n: number): boolean {
  return stored?.values.has(n) === true && !stored.damaged.has(n)
}
