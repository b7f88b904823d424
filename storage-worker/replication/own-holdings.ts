import { type ChunkStore, type Clock, ERA_PERIODS, type Period } from '../../core/index.ts'
import { type HeldEra, type HeldSpanStore, readHeldEra } from './held-span.ts'
import type { SlotSet } from './slot-set.ts'
import { Turns } from './turns.ts'

/** First and last period are looked up again: new ones come every 16 s. */
const RANGE_MS = 1_000
/** What is not complete may have been mended without anybody saying so: by `verify --repair`, by a disk that answers again. */
const RECHECK_MS = 3_600_000

export type OwnHoldingsStore = HeldSpanStore & Pick<ChunkStore, 'readRange'>

/** First and last period of the archive. */
export interface ArchivedRange {
  readonly first: Period
  readonly last: Period
}

interface EraHolding {
  /** Of the periods that were looked at. */
  readonly from: Period
  readonly to: Period
  readonly atMs: number
  readonly held: HeldEra | undefined
}

/** Era in which a period lies. */
export function eraOf(period: Period): number {
  return Math.floor(period / ERA_PERIODS)
}

/**
 * What this disk holds, hash slot by hash slot and era by era: some 100 bytes for an era of which all is held, 2.2 kB at
 * most, so 22 MB for 10,000 eras.
 *
 * Periods before the archive's first and behind its last are no part of it: of the first and the last era only those
 * between count.
 */
export class OwnHoldings {
  private readonly store: OwnHoldingsStore
  private readonly clock: Clock
  private readonly eras = new Map<number, EraHolding>()
  private readonly dirty = new Set<number>()
  private first: Period | undefined
  private range: Promise<ArchivedRange | undefined> = Promise.resolve(undefined)
  private rangeAtMs = Number.NEGATIVE_INFINITY
  private readonly turns: Turns
  /** One era is read at a time, so that an older answer never takes the place of a newer one. */
  private tail: Promise<unknown> = Promise.resolve()
  private readonly onNote: (period: Period) => void
  private noted = 0

  /** @param onNote - told of each period of which something came or went */
  constructor(store: OwnHoldingsStore, clock: Clock, onNote: (period: Period) => void = () => undefined) {
    this.store = store
    this.clock = clock
    this.onNote = onNote
    this.turns = new Turns(clock)
  }

  /** Grows with each `note`. */
  get changes(): number {
    return this.noted
  }

  /** Something of this period came or went. */
  note(period: Period): void {
    this.noted++
    this.dirty.add(eraOf(period))
    this.rangeAtMs = Number.NEGATIVE_INFINITY
    this.onNote(period)
  }

  /** Undefined while nothing is archived. */
  async readRange(): Promise<ArchivedRange | undefined> {
    const nowMs = this.clock.monotonicMs()
    if (nowMs - this.rangeAtMs >= RANGE_MS) {
      this.rangeAtMs = nowMs
      this.range = this.readRangeAnew()
    }
    return await this.range
  }

  /**
   * Hash slots in which a chunk of this era is not held.
   *
   * @returns undefined when a period of the era is not visible, and for eras of which none is
   */
  async missingSlots(era: number): Promise<ReadonlySet<number> | undefined> {
    const missing = await this.readMissing(era)
    return missing && new Set(missing)
  }

  /** The same, as it is kept. */
  async readMissing(era: number): Promise<SlotSet | undefined> {
    const held = await this.readEra(era)
    return held?.absent.length === 0 ? held.missing : undefined
  }

  /** @returns undefined when no period of the era is visible, or the index of them is damaged */
  async readEra(era: number): Promise<HeldEra | undefined> {
    const range = await this.readRange()
    if (!range) return undefined
    const from = Math.max(range.first, era * ERA_PERIODS)
    const to = Math.min(range.last, era * ERA_PERIODS + ERA_PERIODS - 1)
    if (from > to) return undefined
    const known = this.find(era, from, to)
    return known ? known.held : await this.read(era, from, to)
  }

  private async readRangeAnew(): Promise<ArchivedRange | undefined> {
    const range = await this.readIndexedRange()
    if (range?.first !== this.first) this.forgetBefore(range ? eraOf(range.first) : Number.POSITIVE_INFINITY)
    this.first = range?.first
    return range
  }

  /** A period is visible a moment before its summary is: until then it is none of ours. */
  private async readIndexedRange(): Promise<ArchivedRange | undefined> {
    const range = await this.store.readRange()
    if (!range) return undefined
    const { first, last } = range
    for await (const { period } of this.store.listSummaries({ from: first, to: last, reverse: true })) {
      return { first, last: period }
    }
    return undefined
  }

  private async read(era: number, from: Period, to: Period): Promise<HeldEra | undefined> {
    const reading = this.tail.then(async () => {
      // Whoever was before may have read it.
      const known = this.find(era, from, to)
      if (known) return known.held
      await this.turns.give()
      this.dirty.delete(era)
      const held = await readHeldEra(this.store, from, to)
      this.eras.set(era, { from, to, atMs: this.clock.monotonicMs(), held })
      return held
    })
    this.tail = reading.catch(() => this.dirty.add(era))
    return await reading
  }

  private find(era: number, from: Period, to: Period): EraHolding | undefined {
    const known = this.eras.get(era)
    if (!known || this.dirty.has(era) || known.from !== from || known.to !== to) return undefined
    const isComplete = known.held?.missing.size === 0 && known.held.absent.length === 0
    return isComplete || this.clock.monotonicMs() - known.atMs < RECHECK_MS ? known : undefined
  }

  private forgetBefore(firstEra: number): void {
    for (const era of this.eras.keys()) if (era < firstEra) this.eras.delete(era)
    for (const era of this.dirty) if (era < firstEra) this.dirty.delete(era)
  }
}
