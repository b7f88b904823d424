import { HASH_SLOTS, type Period, type Steps } from '../../core/index.ts'
import type { HavePage, MissingRange } from '../../protocol-handler/index.ts'
import { isMissingIn, joinRanges } from '../replication/missing-periods.ts'

/** Of one node; a have-map that tells of more is not believed. An honest one leaves out what it cannot tell in so many. */
const MAX_EXCEPTIONS = 262_144
/** Less than a ms. */
const STEP_ENTRIES = 1_024

/** What one node says that it holds, ready to be asked millions of times: 64 KiB and its exceptions. */
export class NodeClaims {
  /** Newest period that the node had archived; undefined: it tells nothing. */
  readonly headPeriod: Period | undefined
  /** It tells nothing of what is older. */
  readonly firstPeriod: Period
  readonly missingPeriods: readonly MissingRange[]
  private readonly firstEra: number
  /** By hash slot; 0 where nothing is told. */
  private readonly endEras = new Uint32Array(HASH_SLOTS)
  private readonly exceptions = new Map<number, Set<number>>()

  /**
   * @param pages - of one have-map, verified; what they tell is for `take`
   * @param firstPeriod - of the node's archive, by its own word: of the era that it begins in it has a part
   */
  constructor(pages: readonly Pick<HavePage, 'headPeriod' | 'firstEra' | 'missingPeriods'>[], firstPeriod: Period = 0) {
    this.headPeriod = pages.length === 0 ? undefined : Math.min(...pages.map(({ headPeriod }) => headPeriod))
    this.firstPeriod = firstPeriod
    this.missingPeriods = joinRanges(pages.flatMap(({ missingPeriods }) => missingPeriods))
    this.firstEra = pages.reduce((first, page) => Math.max(first, page.firstEra), 0)
  }

  *take({ held, exceptions }: Pick<HavePage, 'held' | 'exceptions'>): Steps<void> {
    for (const { hashSlot, endEra } of held) this.endEras[hashSlot] = endEra
    for (const [i, { hashSlot, era }] of exceptions.entries()) {
      if (i % STEP_ENTRIES === 0) yield
      const slots = this.exceptions.get(era)
      if (slots) slots.add(hashSlot)
      else this.exceptions.set(era, new Set([hashSlot]))
    }
  }

  /** Whether anything of a hash slot is told. */
  tells(hashSlot: number): boolean {
    return (this.endEras[hashSlot] ?? 0) > this.firstEra
  }

  /** Whether all chunks of a hash slot in these periods of an era are said to be held. */
  covers(
    hashSlot: number,
    { era, first, last }: { readonly era: number; readonly first: Period; readonly last: Period },
  ): boolean {
    if (first < this.firstPeriod || (this.headPeriod ?? -1) < last) return false
    if (era < this.firstEra || era >= (this.endEras[hashSlot] ?? 0)) return false
    return !this.exceptions.get(era)?.has(hashSlot) && !isMissingIn(this.missingPeriods, { first, last })
  }
}

/** Undefined for a have-map that tells of more exceptions than an honest node does. */
export function* readNodeClaimsInSteps(
  pages: readonly HavePage[],
  firstPeriod?: Period,
): Steps<NodeClaims | undefined> {
  const exceptions = pages.reduce((sum, page) => sum + page.exceptions.length, 0)
  if (exceptions > MAX_EXCEPTIONS) return undefined
  const claims = new NodeClaims(pages, firstPeriod)
  for (const page of pages) {
    yield
    yield* claims.take(page)
  }
  return claims
}
