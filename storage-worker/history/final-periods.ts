import { ArchiveError, type ChunkStore, type Clock, type Period } from '../../core/index.ts'
import type { HistoryReader, SlotSummary } from './history-reader.ts'

/** A period becomes final every 16 s. */
const LOOK_MS = 500
/** Some 5 kB each; who is at the end of the archive asks for the same ones as everybody there. */
const KEPT_PERIODS = 64
/** What is not archived while so many later ones are is not waited for. */
const PATIENCE_PERIODS = 64
/** An hour of the chain behind the newest archived period: who had his last event from an archive that is ahead of this one is waited for. */
const MAX_AHEAD_PERIODS = 225

/** A period in the order of the chain, or periods that are left out since they are not archived. */
export type FinalPeriod =
  | { readonly kind: 'period'; readonly period: Period; readonly slots: readonly SlotSummary[] }
  | { readonly kind: 'gap'; readonly from: Period; readonly to: Period }

interface FinalPeriodsModules {
  readonly store: Pick<ChunkStore, 'readRange' | 'listSummaries'>
  readonly reader: Pick<HistoryReader, 'readSlots'>
  readonly clock: Clock
}

interface Known {
  readonly atMs: number
  readonly slots: Promise<readonly SlotSummary[] | undefined>
}

/**
 * Final periods one behind the other, for any number of readers: from any archived one on, then each when it is archived.
 *
 * One period is read at a time, and after it nothing is for as long as that took: many readers of old periods leave half of the
 * time to everything else.
 */
export class FinalPeriods {
  private readonly modules: FinalPeriodsModules
  private readonly known = new Map<Period, Known>()
  private tail: Promise<unknown> = Promise.resolve()

  constructor(modules: FinalPeriodsModules) {
    this.modules = modules
  }

  /** The last archived period; `undefined`: there is none. */
  async readLast(): Promise<Period | undefined> {
    return (await this.modules.store.readRange())?.last
  }

  /**
   * Whether reading can begin there: at an archived period, in a hole, or at one that is to come.
   *
   * @throws ArchiveError API_HISTORY_UNKNOWN for a period before the archive's first, API_PERIOD_AHEAD for one more than 225 behind its
   *   last, STORE_CHUNK_AWAY, STORE_VALUE_CORRUPT
   */
  async check(from: Period, signal: AbortSignal): Promise<void> {
    const last = await this.readLast()
    if (from > (last ?? -1) + MAX_AHEAD_PERIODS) throw tooFarAhead(from, last)
    if (!(await this.find(from, signal))) await this.findHole(from)
  }

  /**
   * Ends when `signal` aborts.
   *
   * @throws ArchiveError as `check`, also later, when what is next was deleted
   */
  async *follow(from: Period, signal: AbortSignal): AsyncGenerator<FinalPeriod, void, undefined> {
    for (let period = from; !signal.aborted; ) {
      const slots = await this.find(period, signal)
      if (signal.aborted) return
      if (slots) {
        yield { kind: 'period', period, slots }
        period++
        continue
      }
      const end = await this.findHole(period)
      if (end !== undefined) {
        yield { kind: 'gap', from: period, to: end }
        period = end + 1
      } else await this.modules.clock.sleep(LOOK_MS, signal)
    }
  }

  /** What is being read is read. */
  async idle(): Promise<void> {
    await this.tail
  }

  private find(period: Period, signal: AbortSignal): Promise<readonly SlotSummary[] | undefined> {
    const { clock } = this.modules
    const known = this.known.get(period)
    // Of what was not there a moment ago nobody has to ask again.
    if (known && clock.monotonicMs() - known.atMs < LOOK_MS) return known.slots
    this.known.delete(period)
    const slots = this.read(period, signal)
    this.known.set(period, { atMs: clock.monotonicMs(), slots })
    const [oldest] = this.known.keys()
    if (this.known.size > KEPT_PERIODS && oldest !== undefined) this.known.delete(oldest)
    slots.then(
      (found) => {
        if (found && this.known.has(period)) this.known.set(period, { atMs: Number.POSITIVE_INFINITY, slots })
      },
      () => this.known.delete(period),
    )
    return slots
  }

  private read(period: Period, signal: AbortSignal): Promise<readonly SlotSummary[] | undefined> {
    const { reader, clock } = this.modules
    const reading = this.tail.then(async () => {
      // Whoever else wants it looks again.
      if (signal.aborted) return undefined
      const beganMs = clock.monotonicMs()
      const slots = await reader.readSlots(period)
      return { slots, tookMs: clock.monotonicMs() - beganMs }
    })
    this.tail = reading.then((found) => (found ? clock.sleep(found.tookMs) : undefined)).catch(() => undefined)
    return reading.then((found) => found?.slots)
  }

  /** The last period of the hole that begins with one that is not archived; `undefined`: it is waited for. */
  private async findHole(from: Period): Promise<Period | undefined> {
    const { store } = this.modules
    const range = await store.readRange()
    if (!range || from > range.last) return undefined
    if (from < range.first) {
      const message = `period ${from} is not in this archive: ${range.first} to ${range.last} are`
      throw new ArchiveError('API_HISTORY_UNKNOWN', message, { period: from })
    }
    for await (const { period } of store.listSummaries({ from, to: range.last })) {
      return period > from && range.last - from > PATIENCE_PERIODS ? period - 1 : undefined
    }
    return undefined
  }
}

function tooFarAhead(period: Period, last: Period | undefined): ArchiveError {
  const newest = last === undefined ? 'none is archived here yet' : `${last} is the newest that is archived here`
  const message = `period ${period} is not waited for: ${newest}, and no more than ${MAX_AHEAD_PERIODS} behind it can be followed`
  return new ArchiveError('API_PERIOD_AHEAD', message, { period })
}
