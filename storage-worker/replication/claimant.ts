import { ERA_PERIODS, HASH_SLOTS, type Period } from '../../core/index.ts'
import type { ChunkAnnouncement } from '../../protocol-handler/index.ts'
import type { ClaimedMap } from './claimed-map.ts'
import { eraOf } from './own-holdings.ts'
import { SlotSet } from './slot-set.ts'

/** Eras of which announcements said what lacks: those of the longest one twice. */
const MAX_LACKING_ERAS = 18
/** Withdrawn claims of one node, 50 bytes each: of a node that fails more audits nothing is believed for as long. */
const MAX_WITHDRAWN = 1_024
/** Time enough to fetch again what was lost; until then others stand in. */
export const WITHDRAWN_MS = 21_600_000

/** Periods [first, last]. */
export interface PeriodSpan {
  readonly first: Period
  readonly last: Period
}

/** What a node may have another of than we: period roots, or the placement of an era. */
export type Difference = 'archive' | 'placement'

/**
 * Why a node is not believed to hold what it says: it did not show it when it was audited, its period roots or its placement
 * are others than ours, or its disk is smaller than it declared.
 */
export type CopyDoubt = 'unshown' | 'otherRoots' | 'otherPlacement' | 'tooSmall'

/** What one node says that it holds, and what speaks against it. */
export class Claimant {
  /** Up to when the map and the announcements behind it tell of all periods. */
  coveredTo: Period = -1
  /** What of it differs from ours: while anything does, nothing of what it says counts. */
  readonly differences = new Set<Difference>()
  private claimed: ClaimedMap | undefined
  private newestHead: Period = -1
  /** By era, the newest last. */
  private readonly lacking = new Map<number, SlotSet>()
  /** `era x 16,384 + hash slot`, with the time when. */
  private readonly withdrawn = new Map<number, number>()
  /** By hash slot: the newest of these. */
  private readonly withdrawnSlots = new Map<number, number>()
  private allWithdrawnAtMs = Number.NEGATIVE_INFINITY

  get isDistrusted(): boolean {
    return this.differences.size > 0
  }

  get map(): ClaimedMap | undefined {
    return this.claimed
  }

  /** It said that it lacks something of what it tells of. */
  get lacksSome(): boolean {
    return this.lacking.size > 0 || (this.claimed?.lacksSome ?? false)
  }

  /** @returns false for a map that is older than one that it gave before: neither counts then */
  takeMap(map: ClaimedMap): boolean {
    this.claimed = undefined
    if (map.headPeriod < this.newestHead) return false
    this.claimed = map
    this.newestHead = map.headPeriod
    if (map.headPeriod >= this.coveredTo) {
      this.coveredTo = map.headPeriod
      this.lacking.clear()
    }
    return true
  }

  forgetMap(): void {
    this.claimed = undefined
    this.lacking.clear()
    this.coveredTo = -1
  }

  /** @returns whether its map should be asked for again */
  takeAnnouncement({ firstPeriod, periodCount, incompleteSlots }: ChunkAnnouncement): boolean {
    const lastPeriod = firstPeriod + periodCount - 1
    const follows = firstPeriod <= this.coveredTo + 1
    if (follows) this.coveredTo = Math.max(this.coveredTo, lastPeriod)
    // Who announces has hash slots: its map was made before it knew of them.
    const isEmpty = this.claimed?.slotCount === 0
    if (incompleteSlots.length === 0) return !follows || isEmpty
    for (let era = eraOf(firstPeriod); era <= eraOf(lastPeriod); era++) {
      const slots = new SlotSet([...incompleteSlots, ...(this.lacking.get(era) ?? [])])
      this.lacking.delete(era)
      this.lacking.set(era, slots)
    }
    for (const era of this.lacking.keys()) if (this.lacking.size > MAX_LACKING_ERAS) this.lacking.delete(era)
    return true
  }

  withdraw(hashSlot: number, era: number, nowMs: number): void {
    if (this.withdrawn.size >= MAX_WITHDRAWN) this.forgetExpired(nowMs)
    if (this.withdrawn.size >= MAX_WITHDRAWN) {
      this.withdrawn.clear()
      this.withdrawnSlots.clear()
      this.withdrawAll(nowMs)
    }
    this.withdrawn.set(era * HASH_SLOTS + hashSlot, nowMs)
    this.withdrawnSlots.set(hashSlot, nowMs)
  }

  withdrawAll(nowMs: number): void {
    this.allWithdrawnAtMs = nowMs
  }

  /** True while nothing of what it says is believed, because it showed nothing. */
  isAllWithdrawn(nowMs: number): boolean {
    return nowMs - this.allWithdrawnAtMs < WITHDRAWN_MS
  }

  /** Why it is not believed to hold the chunks of this hash slot in this era, whatever it says. */
  doubt(hashSlot: number, era: number, nowMs: number): CopyDoubt | undefined {
    if (this.isDistrusted) return this.differences.has('archive') ? 'otherRoots' : 'otherPlacement'
    return this.isAllWithdrawn(nowMs) || this.isWithdrawn(hashSlot, era, nowMs) ? 'unshown' : undefined
  }

  /**
   * @param at.ownFirst - the first period of our archive: of what is older we cannot tell whether it lacks
   * @param at.periods - of the era, that matter; all unless given, but for those that it names as missing
   */
  claims(
    hashSlot: number,
    era: number,
    at: {
      readonly nowMs: number
      readonly firstPeriod: Period
      readonly ownFirst: Period
      readonly periods?: PeriodSpan | undefined
    },
  ): boolean {
    const { claimed } = this
    if (!claimed || this.doubt(hashSlot, era, at.nowMs) !== undefined) return false
    // Its first era may be there in part.
    const eraBegin = era * ERA_PERIODS
    if (at.firstPeriod > Math.max(eraBegin, at.ownFirst)) return false
    if (at.periods && claimed.isMissingIn(at.periods)) return false
    // Announcements tell on where the map ends.
    const isAnnounced =
      era >= claimed.endEra && era <= eraOf(this.coveredTo) && claimed.endEra === eraOf(claimed.headPeriod) + 1
    if (!claimed.has(hashSlot, isAnnounced ? claimed.endEra - 1 : era)) return false
    return !this.lacking.get(era)?.has(hashSlot)
  }

  /**
   * True when it has said that not all of this hash slot is there, up to its head, or said it of a chunk that it did not
   * show; false while it has said nothing.
   */
  isIncomplete(hashSlot: number, nowMs: number): boolean {
    if (!this.claimed) return false
    if (this.isDistrusted || this.isAllWithdrawn(nowMs) || !this.claimed.isWhole(hashSlot)) return true
    if (nowMs - (this.withdrawnSlots.get(hashSlot) ?? Number.NEGATIVE_INFINITY) < WITHDRAWN_MS) return true
    for (const slots of this.lacking.values()) if (slots.has(hashSlot)) return true
    return false
  }

  private forgetExpired(nowMs: number): void {
    for (const all of [this.withdrawn, this.withdrawnSlots]) {
      for (const [key, atMs] of all) if (nowMs - atMs >= WITHDRAWN_MS) all.delete(key)
    }
  }

  private isWithdrawn(hashSlot: number, era: number, nowMs: number): boolean {
    const atMs = this.withdrawn.get(era * HASH_SLOTS + hashSlot)
    return atMs !== undefined && nowMs - atMs < WITHDRAWN_MS
  }
}
