import type { Period } from '../../core/index.ts'
import type { DrawnChunk } from './chunk-draw.ts'

/** Chain time: what a holder showed a day ago says nothing of today. */
export const EVIDENCE_PERIODS = 5_400
/** Chunks that are considered at a time, several times over; past it the one that was looked at longest ago is forgotten. */
const MAX_CHUNKS = 4_096

/**
 * Who showed us, when, a leaf of a chunk at an index that we drew, and with chunk 0 SEALS: nothing else says that somebody
 * holds it.
 */
export class ShownLeaves {
  private readonly byChunk = new Map<string, Map<string, Period>>()

  /** @param atPeriod - of the newest final slot, then */
  note(address: string, chunk: Pick<DrawnChunk, 'period' | 'index'>, atPeriod: Period): void {
    const key = keyOf(chunk)
    const shown = this.byChunk.get(key) ?? new Map<string, Period>()
    shown.set(address, atPeriod)
    this.byChunk.delete(key)
    this.byChunk.set(key, shown)
    for (const oldest of this.byChunk.keys()) {
      if (this.byChunk.size <= MAX_CHUNKS) break
      this.byChunk.delete(oldest)
    }
  }

  /** @param atPeriod - of the newest final slot, now */
  isFresh(address: string, chunk: Pick<DrawnChunk, 'period' | 'index'>, atPeriod: Period): boolean {
    const shownAt = this.byChunk.get(keyOf(chunk))?.get(address)
    return shownAt !== undefined && atPeriod - shownAt <= EVIDENCE_PERIODS
  }
}

function keyOf({ period, index }: Pick<DrawnChunk, 'period' | 'index'>): string {
  return `${period} ${index}`
}
