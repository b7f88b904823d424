import type { Period } from '../../core/index.ts'

/** A set of periods that lie next to each other mostly: 16 bytes for each run of them. */
export class PeriodRanges {
  private readonly firsts: Period[] = []
  private readonly lasts: Period[] = []

  /** Ascending. */
  add(period: Period): void {
    const at = this.lasts.length - 1
    const last = this.lasts[at]
    if (last !== undefined && period <= last) throw new Error(`period ${period} behind ${last}`)
    if (last === period - 1) this.lasts[at] = period
    else {
      this.firsts.push(period)
      this.lasts.push(period)
    }
  }

  has(period: Period): boolean {
    let low = 0
    let high = this.firsts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.firsts[middle] ?? 0) <= period) low = middle + 1
      else high = middle
    }
    return low > 0 && period <= (this.lasts[low - 1] ?? -1)
  }
}
