import { ERA_PERIODS, HASH_SLOTS, type Network, type Period, type Steps } from '../../core/index.ts'
import {
  MAX_HAVE_PAGE_BYTES,
  MAX_MISSING_RANGES,
  type MissingRange,
  type SignedHavePage,
  signHavePage,
} from '../../protocol-handler/index.ts'
import type { HeldEra } from './held-span.ts'
import { joinRanges } from './missing-periods.ts'
import type { SlotSet } from './slot-set.ts'

/** Of a whole map: with 16,384 hash slots they fit into 32 pages, however they are spread. */
export const MAX_HAVE_EXCEPTIONS = 150_000
/** Of one hash slot, so that half a page is never left empty before it. */
const MAX_EXCEPTIONS_OF_SLOT = 5_000
/** What a page takes beside its entries (docs/PROTOCOL.md, HaveResponse), and 6 bytes for each of those. */
const PAGE_BYTES = 1 + 1 + 16 + 8 + 4 + 2 + 2 + 2 + 2 + 1 + 16 * MAX_MISSING_RANGES + 98
const ENTRY_BYTES = 6
const MAX_PAGE_ENTRIES = Math.floor((MAX_HAVE_PAGE_BYTES - PAGE_BYTES) / ENTRY_BYTES)
const NO_ERAS: readonly number[] = []

/** An era that is not complete in some of the hash slots that are complete in a later one. */
interface Gap {
  readonly era: number
  readonly slots: readonly number[]
}

/**
 * What is held, put together era by era, the newest first, until it tells too much: then nothing older is told, as if it
 * was not held.
 */
export class HaveDraft {
  /** By hash slot: the era behind the newest one that is complete; 0 with those that are complete in none so far. */
  private readonly endEras = new Uint32Array(HASH_SLOTS)
  /** Hash slots that are complete in some era. */
  private told = 0
  private open: readonly number[]
  private readonly gaps: Gap[] = []
  private readonly counts = new Uint16Array(HASH_SLOTS)
  private exceptions = 0
  private readonly absent: MissingRange[] = []
  private oldestHeld: number | undefined
  private held = 0

  /** @param slots - that are told of, ascending */
  constructor(slots: readonly number[]) {
    this.open = slots
  }

  /**
   * @param era - one less than the last time
   * @param held - undefined: nothing of it
   * @returns false when there is no room for it, nor for older ones
   */
  take(era: number, held: HeldEra | undefined): boolean {
    // Of too many runs of periods that are not there whole eras are told as not held.
    const isNamed = held !== undefined && this.absent.length + held.absent.length <= MAX_MISSING_RANGES
    const missing = isNamed ? held.missing : undefined
    if (isNamed) this.absent.push(...held.absent)
    const slots = this.listExceptions(missing)
    this.exceptions += slots.length
    for (const slot of slots) {
      const count = (this.counts[slot] ?? 0) + 1
      if (count > MAX_EXCEPTIONS_OF_SLOT) return false
      this.counts[slot] = count
    }
    if (this.exceptions > MAX_HAVE_EXCEPTIONS) return false
    const isHeldSomewhere = slots.length < this.told
    if (slots.length > 0) this.gaps.push({ era, slots })
    if (this.tellOpen(era, missing) || isHeldSomewhere) {
      this.oldestHeld = era
      this.held++
    }
    return true
  }

  /** Eras of which something is told as held. */
  get heldEras(): number {
    return this.held
  }

  /** Pages, each signed, that tell of all hash slots. A step is a page, or an era with exceptions. */
  *makePages(
    options: { readonly seed: Uint8Array; readonly network: Network },
    headPeriod: Period,
  ): Steps<readonly SignedHavePage[]> {
    const firstEra = this.oldestHeld ?? 0
    const erasOf = yield* this.collectExceptions(firstEra)
    const slots = this.listTold()
    const missingPeriods = this.listMissingPeriods(firstEra, headPeriod)
    const pages: SignedHavePage[] = []
    for (let at = 0, fromHashSlot = 0; fromHashSlot < HASH_SLOTS; ) {
      const held: { hashSlot: number; endEra: number }[] = []
      const exceptions: { hashSlot: number; era: number }[] = []
      for (; at < slots.length; at++) {
        const hashSlot = slots[at] ?? 0
        const eras = erasOf.get(hashSlot) ?? NO_ERAS
        if (held.length + exceptions.length + 1 + eras.length > MAX_PAGE_ENTRIES) break
        held.push({ hashSlot, endEra: this.endEras[hashSlot] ?? 0 })
        for (const era of eras) exceptions.push({ hashSlot, era })
      }
      const endHashSlot = slots[at] ?? HASH_SLOTS
      const { seed, network } = options
      const page = { network, headPeriod, firstEra, fromHashSlot, endHashSlot, held, exceptions, missingPeriods }
      pages.push(signHavePage(seed, page))
      fromHashSlot = endHashSlot
      yield
    }
    return pages
  }

  /** Between the first era and the head: what came while this was drawn is told the next time. */
  private listMissingPeriods(firstEra: number, headPeriod: Period): readonly MissingRange[] {
    const first = firstEra * ERA_PERIODS
    return joinRanges(this.absent)
      .map(({ fromPeriod, endPeriod }) => ({
        fromPeriod: Math.max(fromPeriod, first),
        endPeriod: Math.min(endPeriod, headPeriod),
      }))
      .filter(({ fromPeriod, endPeriod }) => fromPeriod < endPeriod)
  }

  /** Of the hash slots that are told as complete in later eras, those that are not in this one. */
  private listExceptions(missing: SlotSet | undefined): readonly number[] {
    if (missing === undefined) return this.listTold()
    return Array.from(missing).filter((slot) => this.endEras[slot])
  }

  /** Ascending. */
  private listTold(): number[] {
    const slots: number[] = []
    for (let slot = 0; slot < HASH_SLOTS; slot++) if (this.endEras[slot]) slots.push(slot)
    return slots
  }

  /** @returns whether a hash slot is complete that was not in any later era */
  private tellOpen(era: number, missing: SlotSet | undefined): boolean {
    if (missing === undefined || this.open.length === 0) return false
    const open: number[] = []
    for (const slot of this.open) {
      if (missing.size > 0 && missing.has(slot)) open.push(slot)
      else this.endEras[slot] = era + 1
    }
    const found = this.open.length - open.length
    this.told += found
    this.open = open
    return found > 0
  }

  /** Ascending eras by hash slot. What lies before the oldest era that is held anywhere need not be told. */
  private *collectExceptions(firstEra: number): Steps<ReadonlyMap<number, readonly number[]>> {
    const erasOf = new Map<number, number[]>()
    for (const { era, slots } of this.gaps.toReversed()) {
      if (era < firstEra) continue
      for (const slot of slots) {
        const eras = erasOf.get(slot)
        if (eras) eras.push(era)
        else erasOf.set(slot, [era])
      }
      yield
    }
    return erasOf
  }
}
