import type { Period } from '../../core/index.ts'
import { ANY_BLOCK, type ChainEnd, LinkChain } from './link-chain.ts'
import type { PeriodLinks } from './period-links.ts'

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

/**
 * Periods from the first archived one downward, as strangers gave them, until they are proven.
 *
 * Of each thread the id of the next block below is known: its child names it. So a block is proven by its id, and a slot
 * without one when that block turns up further down. A period is given out when nothing of it is open any more: in every
 * thread the newest block below it has been found.
 */
export class LinkWindow<P extends WindowPeriod> {
  private readonly chain: LinkChain
  /** Of each thread the period of the lowest block that was found, or shown to stand there. */
  private readonly lowest: number[]
  private readonly shown = new Map<number, Period>()
  /** Descending. */
  private readonly waiting: P[] = []
  private bytes = 0

  constructor(end: ChainEnd) {
    this.chain = new LinkChain(end)
    // Of a thread of which nothing is known nothing can be missed until a block of it is found.
    this.lowest = end.expected.map((id) => (id === ANY_BLOCK ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY))
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
    if (!this.chain.add(period, links)) return false
    for (const [thread, shown] of this.shown) if (shown === period && !links[thread]) return false
    for (const [thread, block] of links.entries()) {
      if (!block) continue
      // Nothing is to be found below a genesis block.
      this.lowest[thread] = block.parents.length > 0 ? period : Number.NEGATIVE_INFINITY
      this.shown.delete(thread)
    }
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

  /** All that wait, from above, whether they are proven or not. */
  takeRest(): P[] {
    this.bytes = 0
    return this.waiting.splice(0)
  }

  /** What keeps the topmost period waiting. */
  listOpen(): OpenBlock[] {
    const [top] = this.waiting
    if (!top) return []
    return this.chain.openIds.flatMap((id, thread) => {
      const lowest = this.lowest[thread] ?? 0
      return id !== undefined && lowest >= top.period
        ? [{ thread, id, beforePeriod: Math.min(lowest, top.period + 1) }]
        : []
    })
  }

  /** An open block stands in this period: that was shown otherwise. @returns false when a period that waits says else */
  show(thread: number, period: Period): boolean {
    if (period > this.chain.nextPeriod) return false
    this.shown.set(thread, period)
    this.lowest[thread] = period
    return true
  }
}
