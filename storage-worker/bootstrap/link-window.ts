import { type Period, THREAD_COUNT } from '../../core/index.ts'

/** Ids are hex text here. */
export interface BlockLinks {
  readonly id: string
  /** 32 in thread order; none for a genesis block. */
  readonly parents: readonly string[]
}

/** What stands in each thread of a period; undefined where no block does. */
export type PeriodLinks = readonly (BlockLinks | undefined)[]

export interface WindowPeriod {
  readonly period: Period
  /** Of memory. */
  readonly sizeBytes: number
}

/** A block that must exist, and of which it is not known yet in which period. */
export interface OpenBlock {
  readonly thread: number
  readonly id: string
  /** It stands before this period. */
  readonly beforePeriod: Period
}

/** What is archived says of what must stand below it. */
export interface ChainEnd {
  /** The first period that is archived. */
  readonly first: Period
  /** Of that period. */
  readonly links: PeriodLinks
  /** In each thread the id of the newest block below it. */
  readonly expected: readonly string[]
}

/**
 * Periods from the first archived one downward, as strangers gave them, until they are proven.
 *
 * Of each thread the id of the next block below is known: its child names it. So a block is proven by its id, and a slot
 * without one when that block turns up further down. A period is given out when nothing of it is open any more: in every
 * thread the newest block below it has been found.
 */
export class LinkWindow<P extends WindowPeriod> {
  /** Of each thread the block that must come next; undefined below the first block of the chain. */
  private open: readonly (string | undefined)[]
  /** Of each thread the period of the lowest block that was found, or shown to stand there. */
  private readonly lowest: number[]
  private readonly shown = new Map<number, Period>()
  /** Descending. */
  private readonly waiting: P[] = []
  private above: PeriodLinks
  private nextPeriod: Period
  private bytes = 0

  constructor(end: ChainEnd) {
    this.open = end.expected
    this.lowest = Array.from({ length: THREAD_COUNT }, () => Number.POSITIVE_INFINITY)
    this.above = end.links
    this.nextPeriod = end.first - 1
  }

  /** Of memory that waits for proof. */
  get sizeBytes(): number {
    return this.bytes
  }

  get waitingPeriods(): number {
    return this.waiting.length
  }

  /** Periods are added one after the other, downward. @returns false when it contradicts what stands above it */
  add(entry: P, links: PeriodLinks): boolean {
    const { period } = entry
    if (period !== this.nextPeriod) throw new Error(`period ${period} where ${this.nextPeriod} is due`)
    const open = this.open.map((id, thread) => {
      const block = links[thread]
      return block ? block.parents[thread] : id
    })
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const block = links[thread]
      if (block && block.id !== this.open[thread]) return false
      if (!block && this.shown.get(thread) === period) return false
    }
    if (!this.isNamedBy(this.above, links, open)) return false
    for (const [thread, block] of links.entries()) {
      if (!block) continue
      // Nothing is to be found below a genesis block.
      this.lowest[thread] = block.parents.length > 0 ? period : Number.NEGATIVE_INFINITY
      this.shown.delete(thread)
    }
    this.open = open
    this.above = links
    this.nextPeriod = period - 1
    this.waiting.push(entry)
    this.bytes += entry.sizeBytes
    return true
  }

  /** The next period that is proven, from above. */
  takeProven(): P | undefined {
    const [top] = this.waiting
    if (!top || this.lowest.some((period) => period >= top.period)) return undefined
    this.waiting.shift()
    this.bytes -= top.sizeBytes
    return top
  }

  /** What keeps the topmost period waiting. */
  listOpen(): OpenBlock[] {
    const [top] = this.waiting
    if (!top) return []
    return this.open.flatMap((id, thread) => {
      const lowest = this.lowest[thread] ?? 0
      return id !== undefined && lowest >= top.period
        ? [{ thread, id, beforePeriod: Math.min(lowest, top.period + 1) }]
        : []
    })
  }

  /** An open block stands in this period: that was shown otherwise. @returns false when a period that waits says else */
  show(thread: number, period: Period): boolean {
    if (period > this.nextPeriod) return false
    this.shown.set(thread, period)
    this.lowest[thread] = period
    return true
  }

  /**
   * A block knows every block that stands a period or more before it. So what blocks of the period above name is what
   * stands in these two periods, or else the next block of the thread: whoever leaves blocks out is found out at once.
   */
  private isNamedBy(children: PeriodLinks, own: PeriodLinks, below: readonly (string | undefined)[]): boolean {
    return children.every(
      (child) =>
        !child?.parents.some((id, thread) => {
          return id !== children[thread]?.id && id !== own[thread]?.id && id !== below[thread]
        }),
    )
  }
}
