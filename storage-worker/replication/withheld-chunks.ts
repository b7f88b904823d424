import type { Period } from '../../core/index.ts'

/** Where a chunk stands. */
export interface WithheldPlace {
  readonly period: Period
  readonly index: number
}

/**
 * Chunks that this node gives to nobody while it has their holders show them: who does not hold one could show it with
 * what it is given here, and the last copy would go for its own leaf.
 */
export class WithheldChunks {
  private readonly places = new Set<string>()

  has(place: WithheldPlace): boolean {
    return this.places.has(keyOf(place))
  }

  /** Withholds a chunk until `work` has ended, however it ends. */
  async during<T>(place: WithheldPlace, work: () => Promise<T>): Promise<T> {
    const key = keyOf(place)
    this.places.add(key)
    try {
      return await work()
    } finally {
      this.places.delete(key)
    }
  }
}

function keyOf({ period, index }: WithheldPlace): string {
  return `${period} ${index}`
}
