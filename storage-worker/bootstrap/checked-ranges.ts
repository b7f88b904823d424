import type { Period } from '../../core/index.ts'

/** Eras that are anchored follow each other, so there are few ranges; past it the oldest are forgotten. */
const MAX_RANGES = 64

/** Periods that were checked in the same way. */
export interface CheckedRange {
  readonly first: Period
  readonly last: Period
  /** `anchor`: under anchored era roots; `links`: by block ids, no anchor yet. */
  readonly by: 'anchor' | 'links'
  /** Of `anchor`. */
  readonly firstEra?: number
  readonly lastEra?: number
}

/** How what came from peers was checked, from the first one written downward. */
export class CheckedRanges {
  private readonly ranges: CheckedRange[] = []

  /** @param era - under whose root it was checked; undefined: it was linked */
  note(period: Period, era: number | undefined): void {
    const before = this.ranges.at(-1)
    const by = era === undefined ? 'links' : 'anchor'
    const isNext = before?.by === by && before.first === period + 1
    if (isNext) this.ranges.pop()
    const last = isNext ? before.last : period
    const lastEra = (isNext ? before.lastEra : undefined) ?? era
    this.ranges.push({
      first: period,
      last,
      by,
      ...(era !== undefined && lastEra !== undefined && { firstEra: era, lastEra }),
    })
    if (this.ranges.length > MAX_RANGES) this.ranges.shift()
  }

  list(): readonly CheckedRange[] {
    return [...this.ranges]
  }
}
