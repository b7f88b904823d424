import {
  type ArchivedPeriod,
  ArchiveError,
  type ChunkPlace,
  type ChunkStore,
  computePeriodRoot,
  concatBytes,
  encodeManifest,
  equalBytes,
  isArchiveError,
  type Manifest,
  type Period,
  type PeriodSummary,
  parseBody,
  parseManifest,
  type StoreIdentity,
} from '../core/index.ts'
import type { Ballast } from './ballast.ts'
import type { DiskSpace } from './disk-space.ts'
import type { GuardedLevel, LevelOperation } from './guarded-level.ts'
import {
  bodyRange,
  decodeBodyKey,
  decodePeriod,
  describePlace,
  EXECUTION_RESULTS,
  encodeBodyKey,
  encodeIndexKey,
  encodePeriod,
  keyspaceRange,
  MANIFEST,
  periodRange,
  SEALS,
} from './keyspace.ts'
import {
  computeSummary,
  decodePlaceKey,
  decodeSummary,
  deleteIndexOperations,
  pendingKey,
  placePrefixRange,
  putIndexOperations,
  summaryKey,
} from './period-index.ts'
import { type SealedPeriod, SealedPeriods } from './sealed-periods.ts'
import { openValue } from './sealed-value.ts'
import type { PeriodPlaces } from './verify-period.ts'

export interface ChunkStoreModules {
  readonly bodies: GuardedLevel
  readonly index: GuardedLevel
  /** Absent: room is not asked for (databases in memory). */
  readonly disk?: DiskSpace
  readonly ballast?: Ballast
}

/** Periods that wait are written together up to here: a sync takes as long for one quiet period as for ten. */
const MAX_JOINED_BYTES = 4 * 1024 * 1024

/** Two of the largest periods, of 14 MB with their signatures; more at a time are written only by who catches up. */
const MAX_SPARE_BYTES = 32 * 1024 * 1024

interface WaitingPeriod {
  readonly period: ArchivedPeriod
  readonly sealed: Promise<SealedPeriod>
  readonly sizeBytes: number
  readonly resolve: (indexed: Promise<void>) => void
  readonly reject: (error: unknown) => void
}

interface TakenPeriod extends WaitingPeriod {
  readonly values: LevelOperation[]
}

/** Deletions are one batch per so many periods; each batch leaves every period whole or gone. */
const PERIODS_PER_DELETION = 16
const DELETION_KEY = encodeIndexKey('journal', new TextEncoder().encode('deletion'))
const LAST_PERIOD = Number.MAX_SAFE_INTEGER - 1

/**
 * Periods in two LevelDB databases: bodies ascending by period, and an index rebuilt from them.
 *
 * There is no cursor: a period is visible when its manifest is there, and the batch that writes it is atomic and synced.
 * Index entries follow unsynced, while the next bodies are written. What a crash can take of them is found at the next
 * `recover`: they are written in the
 * order of periods, so only the newest can be missing, and a period written out of order is named in `pending_periods`
 * before its bodies are.
 */
export class LevelChunkStore implements ChunkStore {
  readonly identity: StoreIdentity
  /** For verification and scrub. */
  readonly bodies: GuardedLevel
  readonly index: GuardedLevel
  private readonly disk: DiskSpace | undefined
  private readonly ballast: Ballast | undefined
  private tail: Promise<unknown> = Promise.resolve()
  /** Index entries of written periods; the next bodies are written meanwhile. Never rejects. */
  private indexTail: Promise<unknown> = Promise.resolve()
  private readonly waiting: WaitingPeriod[] = []
  private readonly sealed: SealedPeriods
  /** Newest period that bodies or index know; `undefined` when there is none or nobody looked yet. */
  private newest: Period | undefined
  /** Their index entries could not be written; they go with the next ones. */
  private readonly lagging = new Set<Period>()

  constructor(identity: StoreIdentity, modules: ChunkStoreModules) {
    this.identity = identity
    this.bodies = modules.bodies
    this.index = modules.index
    this.sealed = new SealedPeriods({ maxSpareBytes: modules.bodies.copiesValues ? MAX_SPARE_BYTES : 0 })
    this.disk = modules.disk
    this.ballast = modules.ballast
  }

  /** Finishes what a crash interrupted: index entries that lack, a deletion half done. Called once, at opening. */
  async recover(): Promise<void> {
    await this.exclusive(async () => {
      const deletion = await this.index.get(DELETION_KEY)
      if (deletion) await this.finishDeletion(decodePeriod(deletion, 0), decodePeriod(deletion, 8), true)
      for await (const key of this.index.keys(keyspaceRange('pendingPeriods'))) await this.reindex(decodePeriod(key, 1))
      const indexed = await this.lastIndexedPeriod()
      const range = await this.readRange()
      if (range !== undefined && (indexed === undefined || indexed < range.last)) {
        await this.reindexRange(indexed === undefined ? range.first : indexed + 1, range.last)
      }
      this.newest = maxPeriod(range?.last, indexed)
    })
  }

  /**
   * @throws ArchiveError STORE_PERIOD_INVALID, STORE_PERIOD_CONFLICT, STORE_DISK_FULL, STORE_QUOTA_FULL,
   *   STORE_WRITE_FAILED; writing the period again is the remedy for the last three
   * @remarks Of a period that is archived already, values that are missing or damaged are written and others kept.
   */
  async writePeriod(period: ArchivedPeriod): Promise<void> {
    this.checkPeriod(period)
    // Beside the queue: hashing a period overlaps with the disk work of the one before.
    const sealed = this.sealed.seal(period)
    const sizeBytes = period.summary.bodyBytes + period.seals.length + period.executionResults.length
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ period, sealed, sizeBytes, resolve, reject })
      void this.queue(() => this.writeWaiting())
    }).finally(async () => this.sealed.release((await sealed).memory))
  }

  async readManifest(period: Period): Promise<Manifest | undefined> {
    const bytes = await this.readValue(period, MANIFEST)
    return bytes === undefined ? undefined : parseManifest(bytes)
  }

  async readChunk(period: Period, index: number): Promise<Uint8Array | undefined> {
    if (index < 0 || index >= EXECUTION_RESULTS) return undefined
    return this.readValue(period, index)
  }

  async readSeals(period: Period): Promise<Uint8Array | undefined> {
    return this.readValue(period, SEALS)
  }

  async readExecutionResults(period: Period): Promise<Uint8Array | undefined> {
    return this.readValue(period, EXECUTION_RESULTS)
  }

  async readSummary(period: Period): Promise<PeriodSummary | undefined> {
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

  async deletePeriods(from: Period, to: Period): Promise<void> {
    if (from > to) return
    await this.exclusive(async () => {
      const until = Math.min(to, LAST_PERIOD)
      const value = concatBytes(encodePeriod(from), encodePeriod(until))
      // From here on the deletion is finished even if the process dies: half a range must not look like damage.
      await this.index.write([{ type: 'put', key: DELETION_KEY, value }], { sync: true })
      await this.finishDeletion(from, until, false)
      this.newest = maxPeriod((await this.readRange())?.last, await this.lastIndexedPeriod())
      this.disk?.forgetUsed()
    })
  }

  /**
   * Writes the index entries of all visible periods of [from, to] again and deletes those that point nowhere.
   *
   * Bodies are parsed for it: some 10 ms per MB.
   */
  async rebuildIndex(range?: { readonly from: Period; readonly to: Period }): Promise<void> {
    await this.exclusive(async () => {
      const { from, to } = range ?? { from: 0, to: LAST_PERIOD }
      await this.deleteStaleIndexEntries(from, to)
      await this.reindexRange(from, to)
    })
  }

  /** Indexes every visible period again and keeps entries of others: they tell `verify` what was lost. */
  async restoreIndex(): Promise<void> {
    await this.exclusive(() => this.reindexRange(0, LAST_PERIOD))
  }

  /** Deletes single values; for bodies that belong to no manifest. */
  async deleteValues(period: Period, places: readonly number[]): Promise<void> {
    const operations = places.map((n): LevelOperation => ({ type: 'del', key: encodeBodyKey(period, n) }))
    await this.exclusive(() => this.bodies.write(operations, { sync: true }))
  }

  /**
   * Writes a period over what is there, damaged or not.
   *
   * @throws ArchiveError STORE_PERIOD_INVALID, STORE_DISK_FULL, STORE_WRITE_FAILED
   */
  async replacePeriod(period: ArchivedPeriod): Promise<void> {
    this.checkPeriod(period)
    await this.exclusive(async () => {
      const { values, memory } = await this.sealed.seal(period)
      await this.writeOutOfOrder(period, values).finally(() => this.sealed.release(memory))
    })
  }

  /** Waits for writes under way: until then bodies and index may differ. */
  async settle(): Promise<void> {
    await this.exclusive(async () => undefined)
  }

  /** Waits for what is under way. The databases belong to whoever opened them. */
  async close(): Promise<void> {
    await this.tail
    await this.indexTail
  }

  /** The next period and those behind it; nothing when they went with another. Never rejects. */
  private async writeWaiting(): Promise<void> {
    const periods = await this.takeJoined()
    const first = periods[0]
    if (!first) return
    try {
      if (this.isNewest(first.period.manifest.period)) {
        await this.bodies.write(
          periods.flatMap(({ values }) => values),
          { sync: true },
        )
        this.newest = periods.at(-1)?.period.manifest.period
        const indexed = this.indexLater(periods.map(({ period }) => period))
        for (const { resolve } of periods) resolve(indexed)
      } else {
        await this.indexTail
        await this.writeOutOfOrder(first.period, await this.keepIntact(first.period.manifest, first.values))
        first.resolve(Promise.resolve())
      }
    } catch (error) {
      for (const { reject } of periods) reject(error)
    }
  }

  /** Ascending periods that are newer than all others, as many as go into one batch; any other alone. */
  private async takeJoined(): Promise<TakenPeriod[]> {
    const taken: TakenPeriod[] = []
    let sizeBytes = 0
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      const last = taken.at(-1)?.period.manifest.period
      const number = next.period.manifest.period
      sizeBytes += next.sizeBytes
      if (last !== undefined && (number <= last || !this.isNewest(last) || sizeBytes > MAX_JOINED_BYTES)) break
      this.waiting.shift()
      try {
        await this.checkRoom(next.sizeBytes)
        const { values } = await next.sealed
        taken.push({ ...next, values })
      } catch (error) {
        next.reject(error)
      }
    }
    return taken
  }

  private isNewest(number: Period): boolean {
    return this.newest === undefined || number > this.newest
  }

  /** What of `values` is not on disk already. */
  private async keepIntact(manifest: Manifest, values: LevelOperation[]): Promise<LevelOperation[]> {
    const manifestBytes = await this.readValue(manifest.period, MANIFEST).catch((error) => {
      // A damaged manifest decides nothing: the new one takes its place.
      if (isArchiveError(error, 'STORE_VALUE_CORRUPT') || isArchiveError(error, 'STORE_READ_FAILED')) return undefined
      throw error
    })
    if (manifestBytes === undefined) return values
    if (!equalBytes(manifestBytes, encodeManifest(manifest))) {
      throw new ArchiveError('STORE_PERIOD_CONFLICT', `period ${manifest.period} is archived with another manifest`, {
        period: manifest.period,
      })
    }
    const missing: LevelOperation[] = []
    for (const operation of values) if (!(await this.isKept(operation))) missing.push(operation)
    return missing
  }

  /** Chunks must be equal; of SEALS and execution results the first intact ones stay. */
  private async isKept(operation: LevelOperation): Promise<boolean> {
    const n = decodeBodyKey(operation.key)?.n ?? 0
    const found = await this.bodies.get(operation.key).catch(() => undefined)
    if (found === undefined || operation.type !== 'put') return false
    return n < EXECUTION_RESULTS ? equalBytes(found, operation.value) : openValue(found) !== undefined
  }

  /** Not newer than all others: `recover` would not find it missing in the index. */
  private async writeOutOfOrder(period: ArchivedPeriod, values: LevelOperation[]): Promise<void> {
    const pending: LevelOperation = { type: 'put', key: pendingKey(period.manifest.period), value: NOTHING }
    await this.index.write([pending], { sync: true })
    if (values.length > 0) await this.bodies.write(values, { sync: true })
    await this.indexLater([period])
  }

  /**
   * Behind what is indexed already, so that only the newest periods can be missing. Writers wait for it although it takes
   * a twentieth of the time of a quiet period: whose index fails is told so, and writes again.
   */
  private indexLater(periods: readonly ArchivedPeriod[]): Promise<void> {
    const done = this.indexTail.then(() => this.writeIndex(periods))
    this.indexTail = done.catch(() => undefined)
    return done
  }

  private async writeIndex(periods: readonly ArchivedPeriod[]): Promise<void> {
    const operations: LevelOperation[] = []
    for (const number of [...this.lagging]) operations.push(...(await this.computeIndexOperations(number)))
    for (const { manifest, summary } of periods) {
      operations.push(...putIndexOperations(manifest, summary))
      this.lagging.add(manifest.period)
    }
    await this.index.write(operations, { sync: false })
    this.lagging.clear()
  }

  private async checkRoom(bytes: number): Promise<void> {
    await this.disk?.checkRoom(bytes)
    await this.ballast?.restore()
  }

  /** @param thorough - look for index entries whose manifests are gone already, which takes a walk over all places */
  private async finishDeletion(from: Period, to: Period, thorough: boolean): Promise<void> {
    const unread = await this.deleteBodies(from, to)
    if (thorough || unread > 0) await this.deleteStaleIndexEntries(from, to)
    await this.index.write([{ type: 'del', key: DELETION_KEY }], { sync: false })
    const bodies = bodyRange(from, to)
    const summaries = periodRange('periodSummaries', from, to)
    await this.bodies.compact(bodies.gte, bodies.lt)
    await this.index.compact(summaries.gte, summaries.lt)
  }

  /** Returns how many periods had no readable manifest to find their index entries by. */
  private async deleteBodies(from: Period, to: Period): Promise<number> {
    let batch: LevelOperation[] = []
    let periods = 0
    let unread = 0
    for await (const { period, places } of this.listPlaces(from, to)) {
      const manifest = await this.readManifest(period).catch(() => undefined)
      if (!manifest) unread++
      const operations = places.map((n): LevelOperation => ({ type: 'del', key: encodeBodyKey(period, n) }))
      batch.push(...operations)
      // Index entries first: what is left of them after a crash is named by DELETION_KEY, and gone by the next line.
      await this.index.write(deleteIndexOperations(period, manifest), { sync: false })
      if (++periods % PERIODS_PER_DELETION === 0) {
        await this.bodies.write(batch, { sync: true })
        batch = []
      }
    }
    if (batch.length > 0) await this.bodies.write(batch, { sync: true })
    return unread
  }

  private async deleteStaleIndexEntries(from: Period, to: Period): Promise<void> {
    const operations: LevelOperation[] = []
    for await (const key of this.index.keys(periodRange('periodSummaries', from, to))) {
      if (!(await this.isVisible(decodePeriod(key, 1)))) operations.push({ type: 'del', key })
    }
    for await (const key of this.index.keys(keyspaceRange('merkleRoots'))) {
      const place = decodePlaceKey(key)
      if (place && (place.period < from || place.period > to)) continue
      if (!place || !(await this.isPlaceOf(place))) operations.push({ type: 'del', key })
    }
    if (operations.length > 0) await this.index.write(operations, { sync: false })
  }

  private async isPlaceOf(place: ChunkPlace): Promise<boolean> {
    const manifest = await this.readManifest(place.period).catch(() => undefined)
    const chunk = manifest?.chunks[place.index]
    return chunk !== undefined && equalBytes(chunk.chunkId, place.chunkId)
  }

  private async reindexRange(from: Period, to: Period): Promise<void> {
    for (let at = await this.seekVisible(from, false); at !== undefined && at <= to; ) {
      await this.reindex(at)
      at = await this.seekVisible(at + 1, false)
    }
  }

  private async reindex(period: Period): Promise<void> {
    await this.index.write(await this.computeIndexOperations(period), { sync: false })
  }

  /** Damage stays where it is: `verify` names it, opening must not fail on it. */
  private async computeIndexOperations(period: Period): Promise<LevelOperation[]> {
    const pending: LevelOperation = { type: 'del', key: pendingKey(period) }
    const manifest = await this.readManifest(period).catch(() => undefined)
    const summary = manifest && (await this.computeSummary(period).catch(() => undefined))
    return manifest && summary ? putIndexOperations(manifest, summary) : [pending]
  }

  private async computeSummary(period: Period): Promise<PeriodSummary | undefined> {
    const manifest = await this.readManifest(period)
    if (manifest === undefined) return undefined
    const chunks: Uint8Array[] = []
    for (let i = 0; i < manifest.chunks.length; i++) {
      const chunk = await this.readChunk(period, i)
      if (chunk === undefined) throw missing(period, i)
      chunks.push(chunk)
    }
    return computeSummary(manifest, parseBody(concatBytes(...chunks)))
  }

  private async readValue(period: Period, n: number): Promise<Uint8Array | undefined> {
    const sealed = await this.bodies.get(encodeBodyKey(period, n))
    if (sealed === undefined) return undefined
    const value = openValue(sealed)
    if (value) return value
    const what = describePlace(n)
    throw new ArchiveError('STORE_VALUE_CORRUPT', `${what} of period ${period} is damaged on disk`, {
      period,
      index: n,
    })
  }

  private async isVisible(period: Period): Promise<boolean> {
    const key = encodeBodyKey(period, MANIFEST)
    return (await this.bodies.firstKey({ gte: key, lt: encodeBodyKey(period + 1, 0) })) !== undefined
  }

  /** The next period at or after `from` that has a manifest; at or before it with `reverse`. */
  private async seekVisible(from: Period, reverse: boolean): Promise<Period | undefined> {
    let at = from
    while (at >= 0) {
      const range = reverse ? { lt: encodeBodyKey(at + 1, 0), reverse } : { gte: encodeBodyKey(at, 0) }
      const key = await this.bodies.firstKey(range)
      const place = key && decodeBodyKey(key)
      if (!place) return undefined
      if (place.n === MANIFEST || (await this.isVisible(place.period))) return place.period
      at = reverse ? place.period - 1 : place.period + 1
    }
    return undefined
  }

  private async lastIndexedPeriod(): Promise<Period | undefined> {
    const key = await this.index.firstKey({ ...keyspaceRange('periodSummaries'), reverse: true })
    return key && decodePeriod(key, 1)
  }

  private checkPeriod(period: ArchivedPeriod): void {
    const { manifest, chunks, summary } = period
    const { network, chunkSizeBytes } = this.identity
    const wrong = (what: string) =>
      new ArchiveError('STORE_PERIOD_INVALID', `period ${manifest.period}: ${what}`, { period: manifest.period })
    if (
      manifest.network.chainId !== network.chainId ||
      manifest.network.genesisTimestampMs !== network.genesisTimestampMs
    ) {
      throw wrong('of another network')
    }
    if (manifest.period > LAST_PERIOD) throw wrong('is out of range')
    if (chunks.length !== manifest.chunks.length || summary.chunks !== chunks.length) throw wrong('number of chunks')
    for (const [i, { byteLength }] of manifest.chunks.entries()) {
      if (chunks[i]?.length !== byteLength) throw wrong(`length of chunk ${i}`)
      const last = i === chunks.length - 1
      if (last ? byteLength > chunkSizeBytes : byteLength !== chunkSizeBytes) throw wrong(`size of chunk ${i}`)
    }
    const bodyBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (summary.period !== manifest.period || summary.bodyBytes !== bodyBytes) throw wrong('summary')
    if (!equalBytes(summary.root, computePeriodRoot(manifest))) throw wrong('root')
  }

  /** Alone, with every index entry written. */
  private exclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.queue(async () => {
      await this.indexTail
      return task()
    })
  }

  private queue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.tail.then(task)
    this.tail = done.catch(() => undefined)
    return done
  }
}

const NOTHING = new Uint8Array(0)

function missing(period: Period, index: number): ArchiveError {
  const what = describePlace(index)
  return new ArchiveError('STORE_VALUE_MISSING', `${what} of period ${period} is not on disk`, { period, index })
}

function maxPeriod(a: Period | undefined, b: Period | undefined): Period | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
