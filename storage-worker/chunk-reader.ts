import {
  ArchiveError,
  type ChunkPlace,
  concatBytes,
  type Holding,
  type Manifest,
  type Period,
  type PeriodSummary,
  parseBody,
  parseManifest,
} from '../core/index.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { computePartSummary, parseHolding } from './holding.ts'
import {
  bodyRange,
  decodeBodyKey,
  decodePeriod,
  describePlace,
  EXECUTION_RESULTS,
  encodeBodyKey,
  HOLDING,
  isChunkPlace,
  keyspaceRange,
  LAST_PERIOD,
  MANIFEST,
  periodRange,
  SEALS,
} from './keyspace.ts'
import { computeSummary, decodePlaceKey, decodeSummary, placePrefixRange, summaryKey } from './period-index.ts'
import { openValue } from './sealed-value.ts'
import type { PeriodPlaces } from './verify-period.ts'

/** Told of each value of `bodies` that was read for its content: its bytes on disk, and whether it is damaged. */
export type OnRead = (sizeBytes: number, isDamaged: boolean) => void

/**
 * Periods as they are read from the two databases: bodies ascending by period, and an index rebuilt from them.
 *
 * There is no cursor: a period is visible when its manifest is there.
 */
export class ChunkReader {
  /** For verification and scrub. */
  readonly bodies: GuardedLevel
  readonly index: GuardedLevel
  private readonly onRead: OnRead | undefined
  /** Their values go one after the other: nothing is read of them meanwhile that begins with a manifest or a summary. */
  private hidden: { readonly from: Period; readonly to: Period } | undefined
  private hides = 0

  constructor(modules: {
    readonly bodies: GuardedLevel
    readonly index: GuardedLevel
    readonly onRead?: OnRead | undefined
  }) {
    this.bodies = modules.bodies
    this.index = modules.index
    this.onRead = modules.onRead
  }

  get deletions(): number {
    return this.hides
  }

  async readManifest(period: Period): Promise<Manifest | undefined> {
    return this.isHidden(period) ? undefined : this.readStoredManifest(period)
  }

  /** Of periods that are being deleted, too. */
  protected async readStoredManifest(period: Period): Promise<Manifest | undefined> {
    const bytes = await this.readValue(period, MANIFEST)
    return bytes === undefined ? undefined : parseManifest(bytes)
  }

  async readChunk(period: Period, index: number): Promise<Uint8Array | undefined> {
    if (index < 0 || !isChunkPlace(index)) return undefined
    return this.readValue(period, index)
  }

  async readSeals(period: Period): Promise<Uint8Array | undefined> {
    return this.readValue(period, SEALS)
  }

  async readExecutionResults(period: Period): Promise<Uint8Array | undefined> {
    return this.readValue(period, EXECUTION_RESULTS)
  }

  /** @throws ArchiveError STORE_VALUE_CORRUPT, STORE_HOLDING_INVALID */
  async readHolding(period: Period): Promise<Holding | undefined> {
    const bytes = await this.readValue(period, HOLDING)
    const manifest = bytes && (await this.readManifest(period))
    return bytes && manifest ? parseHolding(bytes, manifest.chunks.length) : undefined
  }

  async readSummary(period: Period): Promise<PeriodSummary | undefined> {
    if (this.isHidden(period)) return undefined
    const value = await this.index.get(summaryKey(period))
    if (value === undefined) return undefined
    // A damaged entry of the index costs time, not the answer.
    return decodeSummary(period, value) ?? (await this.computeSummary(period))
  }

  async findChunks(prefixHex: string, limit: number): Promise<ChunkPlace[]> {
    const places: ChunkPlace[] = []
    for await (const key of this.index.keys({ ...placePrefixRange(prefixHex), limit })) {
      const place = decodePlaceKey(key)
      if (place) places.push(place)
    }
    return places
  }

  async readRange(): Promise<{ readonly first: Period; readonly last: Period } | undefined> {
    const first = await this.seekVisible(0, false)
    if (first === undefined) return undefined
    const last = await this.seekVisible(LAST_PERIOD, true)
    return last === undefined ? undefined : { first, last }
  }

  async *listSummaries(range: { from: Period; to: Period; reverse?: boolean }): AsyncGenerator<PeriodSummary> {
    if (range.from > range.to) return
    const keys = periodRange('periodSummaries', range.from, Math.min(range.to, LAST_PERIOD))
    for await (const [key, value] of this.index.entries({ ...keys, reverse: range.reverse ?? false })) {
      const period = decodePeriod(key, 1)
      if (this.isHidden(period)) continue
      const summary = decodeSummary(period, value) ?? (await this.computeSummary(period))
      if (summary) yield summary
    }
  }

  /** Periods of [from, to] that have values in `bodies`, ascending, each with the places of all its values. */
  async *listPlaces(from: Period, to: Period): AsyncGenerator<PeriodPlaces> {
    for await (const page of this.listPlacePages(from, to)) yield* page
  }

  /** The same, some hundreds at once. */
  async *listPlacePages(from: Period, to: Period): AsyncGenerator<PeriodPlaces[]> {
    let current: { period: Period; places: number[] } | undefined
    for await (const keys of this.bodies.keyPages(bodyRange(from, Math.min(to, LAST_PERIOD)))) {
      const whole: PeriodPlaces[] = []
      for (const key of keys) {
        const place = decodeBodyKey(key)
        if (!place) continue
        if (current && current.period !== place.period) whole.push(current)
        if (current?.period !== place.period) current = { period: place.period, places: [] }
        current.places.push(place.n)
      }
      yield whole
    }
    if (current) yield [current]
  }

  /** Places of all values of a period. */
  async listPlacesOf(period: Period): Promise<readonly number[]> {
    for await (const { places } of this.listPlaces(period, period)) return places
    return []
  }

  /** From its chunks: some 10 ms per MB; of a period that is not whole from what stands beside them. */
  async computeSummary(period: Period): Promise<PeriodSummary | undefined> {
    const manifest = await this.readManifest(period)
    if (manifest === undefined) return undefined
    const holding = await this.readHolding(period)
    if (holding) return computePartSummary(manifest, holding)
    const chunks: Uint8Array[] = []
    for (let i = 0; i < manifest.chunks.length; i++) {
      const chunk = await this.readChunk(period, i)
      if (chunk === undefined) throw missing(period, i)
      chunks.push(chunk)
    }
    return computeSummary(manifest, parseBody(concatBytes(...chunks)))
  }

  protected async readValue(period: Period, n: number): Promise<Uint8Array | undefined> {
    const sealed = await this.bodies.get(encodeBodyKey(period, n))
    if (sealed === undefined) return undefined
    const value = openValue(sealed)
    this.onRead?.(sealed.length, value === undefined)
    if (value) return value
    const what = describePlace(n)
    throw new ArchiveError('STORE_VALUE_CORRUPT', `${what} of period ${period} is damaged on disk`, {
      period,
      index: n,
    })
  }

  /** Whether it has a manifest. */
  async isVisible(period: Period): Promise<boolean> {
    if (this.isHidden(period)) return false
    const key = encodeBodyKey(period, MANIFEST)
    return (await this.bodies.firstKey({ gte: key, lt: encodeBodyKey(period + 1, 0) })) !== undefined
  }

  /** The next period at or after `from` that has a manifest; at or before it with `reverse`. */
  async seekVisible(from: Period, reverse: boolean): Promise<Period | undefined> {
    let at = from
    while (at >= 0) {
      const range = reverse ? { lt: encodeBodyKey(at + 1, 0), reverse } : { gte: encodeBodyKey(at, 0) }
      const key = await this.bodies.firstKey(range)
      const place = key && decodeBodyKey(key)
      if (!place) return undefined
      if (this.hidden && this.isHidden(place.period)) {
        at = reverse ? this.hidden.from - 1 : this.hidden.to + 1
        continue
      }
      if (place.n === MANIFEST || (await this.isVisible(place.period))) return place.period
      at = reverse ? place.period - 1 : place.period + 1
    }
    return undefined
  }

  /** Has nobody see these periods while `act` deletes them. */
  protected async hidePeriods<T>(from: Period, to: Period, act: () => Promise<T>): Promise<T> {
    this.hidden = { from, to }
    this.hides++
    try {
      return await act()
    } finally {
      this.hidden = undefined
    }
  }

  private isHidden(period: Period): boolean {
    return this.hidden !== undefined && period >= this.hidden.from && period <= this.hidden.to
  }

  /** The newest one with a summary. */
  async readLastIndexed(): Promise<Period | undefined> {
    const key = await this.index.firstKey({ ...keyspaceRange('periodSummaries'), reverse: true })
    return key && decodePeriod(key, 1)
  }
}

function missing(period: Period, index: number): ArchiveError {
  const what = describePlace(index)
  return new ArchiveError('STORE_VALUE_MISSING', `${what} of period ${period} is not on disk`, { period, index })
}
