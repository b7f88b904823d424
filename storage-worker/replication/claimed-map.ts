import { HASH_SLOTS, type Period, type Steps } from '../../core/index.ts'
import {
  MAX_GAP_BYTES,
  MAX_GAP_ERAS,
  MAX_MISSING_RANGES,
  MAX_ODD_SLOTS,
  type MissingRange,
  type SignedHavePage,
} from '../../protocol-handler/index.ts'
import { isMissingIn, joinRanges } from './missing-periods.ts'
import { eraOf } from './own-holdings.ts'
import { findFirst, SlotSet } from './slot-set.ts'

/** Of a run of missing periods, about. */
const RANGE_BYTES = 64

interface Parts {
  readonly headPeriod: Period
  readonly firstEra: number
  readonly endEra: number
  readonly regular: SlotSet
  readonly whole: SlotSet
  readonly oddSlots: Uint16Array
  readonly oddEnds: Uint32Array
  readonly gapEras: Uint32Array
  readonly gapSlots: readonly (SlotSet | undefined)[]
  readonly missingPeriods: readonly MissingRange[]
}

/**
 * What one node says that it holds, in 58 kB at most, whatever it says; 2 kB of an honest one. What does not fit is taken
 * as not held.
 */
export class ClaimedMap {
  /** Newest period of the node when it said so. */
  readonly headPeriod: Period
  /** Nothing is claimed before this era, nor from `endEra` on. */
  readonly firstEra: number
  readonly endEra: number
  /** Complete up to `endEra`. */
  private readonly regular: SlotSet
  /** Complete up to the head, without exceptions. */
  private readonly whole: SlotSet
  private readonly oddSlots: Uint16Array
  private readonly oddEnds: Uint32Array
  private readonly gapEras: Uint32Array
  /** Undefined: all. */
  private readonly gapSlots: readonly (SlotSet | undefined)[]
  private readonly missingPeriods: readonly MissingRange[]

  constructor(parts: Parts) {
    this.headPeriod = parts.headPeriod
    this.firstEra = parts.firstEra
    this.endEra = parts.endEra
    this.regular = parts.regular
    this.whole = parts.whole
    this.oddSlots = parts.oddSlots
    this.oddEnds = parts.oddEnds
    this.gapEras = parts.gapEras
    this.gapSlots = parts.gapSlots
    this.missingPeriods = parts.missingPeriods
  }

  get sizeBytes(): number {
    const gaps = this.gapSlots.reduce((sum, slots) => sum + (slots?.sizeBytes ?? 0), 0)
    const { regular, whole, oddSlots, oddEnds, gapEras } = this
    const sets = regular.sizeBytes + (whole === regular ? 0 : whole.sizeBytes)
    const missing = this.missingPeriods.length * RANGE_BYTES
    return sets + oddSlots.byteLength + oddEnds.byteLength + gapEras.byteLength * 2 + gaps + missing
  }

  /** Hash slots of which it says that it holds something. */
  get slotCount(): number {
    return this.regular.size + this.oddSlots.length
  }

  /** Of one of those it says that something is not there. */
  get lacksSome(): boolean {
    return this.whole.size < this.slotCount
  }

  /** Whether it says that one of the periods [first, last] is not there. */
  isMissingIn(periods: { readonly first: Period; readonly last: Period }): boolean {
    return isMissingIn(this.missingPeriods, periods)
  }

  /** But for the periods that are missing. */
  has(hashSlot: number, era: number): boolean {
    return era >= this.firstEra && era < this.endOf(hashSlot) && !this.isGap(hashSlot, era)
  }

  /** Whether it says that it holds all of a hash slot from its first era up to its head. */
  isWhole(hashSlot: number): boolean {
    return this.whole.has(hashSlot)
  }

  private endOf(hashSlot: number): number {
    if (this.regular.has(hashSlot)) return this.endEra
    const at = findFirst(this.oddSlots, hashSlot)
    return this.oddSlots[at] === hashSlot ? (this.oddEnds[at] ?? 0) : 0
  }

  private isGap(hashSlot: number, era: number): boolean {
    const at = findFirst(this.gapEras, era)
    return this.gapEras[at] === era && (this.gapSlots[at]?.has(hashSlot) ?? true)
  }
}

/** Steps of a page or an era each. @param pages - of one map, at least one; all of its hash slots in order */
export function* compactPages(pages: readonly SignedHavePage[]): Steps<ClaimedMap> {
  const headPeriod = pages.reduce((least, page) => Math.min(least, page.headPeriod), Number.POSITIVE_INFINITY)
  let firstEra = pages.reduce((most, page) => Math.max(most, page.firstEra), 0)
  const held: { readonly hashSlot: number; readonly endEra: number }[] = []
  const gaps = new Map<number, number[]>()
  const gapped = new Set<number>()
  for (const page of pages) {
    for (const slot of page.held) held.push(slot)
    for (const { hashSlot, era } of page.exceptions) {
      gapped.add(hashSlot)
      const slots = gaps.get(era)
      if (slots) slots.push(hashSlot)
      else gaps.set(era, [hashSlot])
    }
    yield
  }
  const endEra = held.reduce((most, slot) => Math.max(most, slot.endEra), 0)
  const odd = held.filter((slot) => slot.endEra < endEra).slice(0, MAX_ODD_SLOTS)
  const eras = [...gaps.keys()].sort((a, b) => a - b)
  if (eras.length > MAX_GAP_ERAS) firstEra = Math.max(firstEra, (eras[eras.length - MAX_GAP_ERAS - 1] ?? 0) + 1)
  const kept = eras.slice(-MAX_GAP_ERAS)
  const gapSlots: (SlotSet | undefined)[] = []
  let bytes = 0
  for (const era of kept.toReversed()) {
    const slots = gaps.get(era) ?? []
    // Where all are missing, no list is needed: a node that was away has such eras.
    const set = slots.length === held.length ? undefined : new SlotSet(slots)
    bytes += set?.sizeBytes ?? 0
    gapSlots.push(bytes > MAX_GAP_BYTES ? undefined : set)
    yield
  }
  const regular = held.filter((slot) => slot.endEra === endEra && endEra > 0).map(({ hashSlot }) => hashSlot)
  const missingPeriods = joinRanges(pages.flatMap((page) => page.missingPeriods))
  // Of which hash slots their chunks are it cannot know.
  const isWhole = ({ hashSlot, endEra: end }: (typeof held)[number]): boolean =>
    missingPeriods.length === 0 && end > eraOf(headPeriod) && !gapped.has(hashSlot)
  const whole = held.filter(isWhole)
  const regularSet = new SlotSet(regular)
  const isAllWhole = whole.length === regular.length && whole.every(({ hashSlot }) => regularSet.has(hashSlot))
  return new ClaimedMap({
    headPeriod,
    firstEra,
    endEra,
    regular: regularSet,
    whole: isAllWhole ? regularSet : new SlotSet(whole.map(({ hashSlot }) => hashSlot)),
    oddSlots: Uint16Array.from(odd, ({ hashSlot }) => hashSlot),
    oddEnds: Uint32Array.from(odd, (slot) => slot.endEra),
    gapEras: Uint32Array.from(kept),
    gapSlots: gapSlots.reverse(),
    missingPeriods,
  })
}

/** What a have-map takes at most of memory: bitmaps, odd hash slots, eras with exceptions, missing periods. */
export const MAX_CLAIMED_MAP_BYTES =
  (2 * HASH_SLOTS) / 8 + MAX_ODD_SLOTS * 6 + MAX_GAP_ERAS * 8 + MAX_GAP_BYTES + MAX_MISSING_RANGES * RANGE_BYTES
