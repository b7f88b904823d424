import { type Period, THREAD_COUNT } from '../../core/index.ts'
import type { PeriodLinks } from './period-links.ts'

/** In place of an id: nobody says which block stands there. */
export const ANY_BLOCK = ''

/** What is archived says of what must stand below it. */
export interface ChainEnd {
  /** The first period that is archived. */
  readonly first: Period
  /** Of that period. */
  readonly links: PeriodLinks
  /** In each thread the id of the newest block below it, or `ANY_BLOCK`. */
  readonly expected: readonly string[]
}

/** Periods from the first archived one downward, each held against what stands above it: some microseconds each. */
export class LinkChain {
  private open: readonly (string | undefined)[]
  private above: PeriodLinks
  private next: Period

  constructor(end: ChainEnd) {
    this.open = end.expected
    this.above = end.links
    this.next = end.first - 1
  }

  /** Of each thread the block that must come next; undefined below the first block of the chain. */
  get openIds(): readonly (string | undefined)[] {
    return this.open
  }

  /** The one that is added next. */
  get nextPeriod(): Period {
    return this.next
  }

  /** Periods are added one after the other, downward. @returns false when it contradicts what stands above it */
  add(period: Period, links: PeriodLinks): boolean {
    if (period !== this.next) throw new Error(`period ${period} where ${this.next} is due`)
    const open = this.open.map((id, thread) => {
      const block = links[thread]
      if (block) return block.parents[thread]
      return id === ANY_BLOCK ? findNamed(this.above, thread) : id
    })
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const block = links[thread]
      const due = this.open[thread]
      if (block && due !== ANY_BLOCK && block.id !== due) return false
    }
    if (!isNamedBy(this.above, links, open)) return false
    this.open = open
    this.above = links
    this.next = period - 1
    return true
  }
}

/** Of a thread that is silent in two periods all blocks of the upper one name the same. */
function findNamed(children: PeriodLinks, thread: number): string {
  const child = children.find((one) => one && one.parents.length > 0)
  return child?.parents[thread] ?? ANY_BLOCK
}

/**
 * A block knows every block that stands a period or more before it. So what blocks of the period above name is what
 * stands in these two periods, or else the next block of the thread: whoever leaves blocks out is found out at once.
 */
function isNamedBy(children: PeriodLinks, own: PeriodLinks, below: readonly (string | undefined)[]): boolean {
  return children.every(
    (child) =>
      !child?.parents.some((id, thread) => {
        if (id === children[thread]?.id || id === own[thread]?.id) return false
        return below[thread] !== ANY_BLOCK && id !== below[thread]
      }),
  )
}
