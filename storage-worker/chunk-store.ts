import {
  type ArchivedPeriod,
  ArchiveError,
  type ChunkStore,
  computePeriodRoot,
  concatBytes,
  equalBytes,
  type Holding,
  isArchiveError,
  type Manifest,
  type Period,
  type PeriodPart,
  type StoreIdentity,
} from '../core/index.ts'
import type { Ballast } from './ballast.ts'
import { ChunkReader, type OnRead } from './chunk-reader.ts'
import type { DiskSpace } from './disk-space.ts'
import type { GuardedLevel, LevelOperation } from './guarded-level.ts'
import { computePartSummary, encodeHolding, isWhole } from './holding.ts'
import { IndexWriter } from './index-writer.ts'
import {
  bodyRange,
  decodePeriod,
  EXECUTION_RESULTS,
  encodeBodyKey,
  encodeIndexKey,
  encodePeriod,
  HOLDING,
  isChunkPlace,
  keyspaceRange,
  LAST_PERIOD,
  MANIFEST,
  periodRange,
  SEALS,
} from './keyspace.ts'
import { decodeSummary, deleteIndexOperations, pendingKey, putIndexOperations, summaryKey } from './period-index.ts'
import { type CheckedPart, checkManifest, checkPart, type PeriodChange, planDrop, planPart } from './period-part.ts'
import { listValues, type PeriodValue, SealedPeriod, type SealedPeriodOptions, SealMemory } from './sealed-period.ts'
import { openValue } from './sealed-value.ts'

export interface ChunkStoreModules {
  readonly bodies: GuardedLevel
  readonly index: GuardedLevel
  /** Absent: room is not asked for (databases in memory). */
  readonly disk?: DiskSpace
  readonly ballast?: Ballast
  readonly onRead?: OnRead | undefined
}

/** Deletions are one batch per so many periods; each batch leaves every period whole or gone. */
const PERIODS_PER_DELETION = 16
const DELETION_KEY = encodeIndexKey('journal', new TextEncoder().encode('deletion'))
const NOTHING = new Uint8Array(0)

/** Parts that are written together: twice as many as are asked of one peer at a time. */
const MAX_JOINED_PARTS = 16

interface WaitingPart {
  readonly part: CheckedPart
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Periods in two LevelDB databases: bodies ascending by period, and an index rebuilt from them.
 *
 * What is not held of a period is named by a value beside it (holding.ts), written in the batch in which chunks come or
 * go: what is missing and not named there is damage.
 *
 * The batch that makes a period visible is atomic and synced. Index entries follow unsynced, while the next bodies are
 * written. What a crash can take of them is found at the next `recover`: they are written in the order of periods, so
 * only the newest can be missing, and a period written out of order is named in `pending_periods` before its bodies are.
 */
export class LevelChunkStore extends ChunkReader implements ChunkStore {
  readonly identity: StoreIdentity
  private readonly disk: DiskSpace | undefined
  private readonly ballast: Ballast | undefined
  private readonly indexWriter: IndexWriter
  /** Absent: what is written keeps being used. */
  private readonly sealMemory: SealMemory | undefined
  private tail: Promise<unknown> = Promise.resolve()
  /** Last in the queue and not begun: more may join them. */
  private waitingParts: WaitingPart[] | undefined
  /** Of periods in their order, with their index entries. Never rejects. */
  private underWay: Promise<unknown> = Promise.resolve()
  /** Newest period that bodies or index know; `undefined` when there is none or nobody looked yet. */
  private newest: Period | undefined
  /** Newest period that was begun to be written. */
  private newestBegun: Period | undefined

  constructor(identity: StoreIdentity, modules: ChunkStoreModules) {
    super(modules)
    this.identity = identity
    this.disk = modules.disk
    this.ballast = modules.ballast
    this.indexWriter = new IndexWriter(this)
    this.sealMemory = modules.bodies.copiesValues ? new SealMemory() : undefined
  }

  /** Finishes what a crash interrupted: index entries that lack, a deletion half done. Called once, at opening. */
  async recover(): Promise<void> {
    await this.exclusive(async () => {
      const deletion = await this.index.get(DELETION_KEY)
      if (deletion) await this.finishDeletion(decodePeriod(deletion, 0), decodePeriod(deletion, 8), true)
      for await (const key of this.index.keys(keyspaceRange('pendingPeriods'))) {
        await this.indexWriter.reindex(decodePeriod(key, 1))
      }
      const indexed = await this.readLastIndexed()
      const range = await this.readRange()
      if (range !== undefined && (indexed === undefined || indexed < range.last)) {
        await this.indexWriter.reindexRange(indexed === undefined ? range.first : indexed + 1, range.last)
      }
      this.setNewest(maxPeriod(range?.last, indexed))
    })
  }

  /**
   * @throws ArchiveError STORE_PERIOD_INVALID, STORE_PERIOD_CONFLICT, STORE_DISK_FULL, STORE_QUOTA_FULL,
   *   STORE_WRITE_FAILED; writing the period again is the remedy for the last three
   * @remarks Of a period that is archived already, values that are missing or damaged are written and others kept; one
   *   that was held in part is whole then.
   */
  async writePeriod(period: ArchivedPeriod): Promise<void> {
    this.checkPeriod(period)
    const { written } = await this.queue(() => this.beginPeriod(period))
    await written
  }

  /** @throws ArchiveError as `writePeriod`, and STORE_PART_INVALID */
  async writePart(part: PeriodPart): Promise<void> {
    const checked = checkPart(part, this.identity)
    await new Promise<void>((resolve, reject) => this.joinParts({ part: checked, resolve, reject }))
  }

  async dropChunks(period: Period, indexes: readonly number[]): Promise<void> {
    await this.exclusive(async () => {
      const manifest = await this.readManifest(period)
      if (!manifest || indexes.length === 0) return
      const holding = await this.readHolding(period)
      const summary = holding ?? (await this.readSummary(period)) ?? (await this.computeSummary(period))
      await this.writeChange(planDrop(manifest, { holding, operations: summary?.operations ?? 0 }, indexes))
    })
  }

  async compactPeriods(from: Period, to: Period): Promise<void> {
    if (from > to) return
    const { gte, lt } = bodyRange(from, Math.min(to, LAST_PERIOD))
    await this.exclusive(() => this.bodies.compact(gte, lt))
    this.disk?.forgetUsed()
  }

  async deletePeriods(from: Period, to: Period): Promise<void> {
    if (from > to) return
    await this.exclusive(async () => {
      const until = Math.min(to, LAST_PERIOD)
      const value = concatBytes(encodePeriod(from), encodePeriod(until))
      // From here on the deletion is finished even if the process dies: half a range must not look like damage.
      await this.index.write([{ type: 'put', key: DELETION_KEY, value }], { sync: true })
      await this.hidePeriods(from, until, () => this.finishDeletion(from, until, false))
      this.setNewest(maxPeriod((await this.readRange())?.last, await this.readLastIndexed()))
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
      await this.indexWriter.deleteStale(from, to)
      await this.indexWriter.reindexRange(from, to)
    })
  }

  /** Indexes every visible period again and keeps entries of others: they tell `verify` what was lost. */
  async restoreIndex(): Promise<void> {
    await this.exclusive(() => this.indexWriter.reindexRange(0, LAST_PERIOD))
  }

  /** Deletes values that belong to no manifest, or to no chunk that is held; returns which of `places` those were. */
  async deleteOrphans(period: Period, places: readonly number[]): Promise<readonly number[]> {
    return this.exclusive(async () => {
      // Looked at again: what was an orphan may have been written since.
      const manifest = await this.readManifest(period).catch(unlessDamaged)
      if (!manifest) return []
      const missing = new Set((await this.readHolding(period).catch(unlessDamaged))?.missingChunks)
      const orphans = places.filter((n) => isChunkPlace(n) && (n >= manifest.chunks.length || missing.has(n)))
      const operations = orphans.map((n): LevelOperation => ({ type: 'del', key: encodeBodyKey(period, n) }))
      if (operations.length > 0) await this.bodies.write(operations, { sync: true })
      return orphans
    })
  }

  /** Writes a damaged holding anew: what stands there counts as held. Without a summary in the index it stays damaged. */
  async restoreHolding(period: Period): Promise<void> {
    await this.exclusive(async () => {
      const manifest = await this.readManifest(period).catch(unlessDamaged)
      const value = await this.index.get(summaryKey(period))
      const recorded = value && decodeSummary(period, value)
      if (!manifest || !recorded || (await this.listStaleHolding(period)).length === 0) return
      const places = new Set(await super.listPlacesOf(period))
      const holding: Holding = {
        operations: recorded.operations,
        isCounted: false,
        missingChunks: [...manifest.chunks.keys()].filter((index) => !places.has(index)),
        hasSeals: places.has(SEALS),
        hasExecutionResults: places.has(EXECUTION_RESULTS),
      }
      const summary = computePartSummary(manifest, holding)
      const whole = isWhole(holding) ? undefined : holding
      await this.writeChange({ manifest, summary, holding: whole, values: [], dropped: [] })
    })
  }

  /** Deletes single values, whatever they are. */
  async deleteValues(period: Period, places: readonly number[]): Promise<void> {
    const operations = places.map((n): LevelOperation => ({ type: 'del', key: encodeBodyKey(period, n) }))
    await this.exclusive(() => this.bodies.write(operations, { sync: true }))
  }

  /**
   * Writes a period over what is there, damaged or not.
   *
   * @param holding - what is to be held of it; absent: all
   * @throws ArchiveError STORE_PERIOD_INVALID, STORE_DISK_FULL, STORE_WRITE_FAILED
   */
  async replacePeriod(period: ArchivedPeriod, holding?: Holding): Promise<void> {
    this.checkPeriod(period)
    await this.exclusive(async () => {
      const values = listValues(period)
      if (!holding) return this.writeOutOfOrder(period, values)
      const { manifest, summary } = period
      const dropped = new Set(holding.missingChunks)
      if (!holding.hasSeals) dropped.add(SEALS)
      if (!holding.hasExecutionResults) dropped.add(EXECUTION_RESULTS)
      const part = { ...holding, operations: summary.operations, isCounted: true }
      await this.writeChange({
        manifest,
        summary: computePartSummary(manifest, part),
        holding: part,
        values: values.filter(({ n }) => !dropped.has(n)),
        dropped: [...dropped],
      })
    })
  }

  /** As `listPlaces`, of one period, with no write under way. */
  override async listPlacesOf(period: Period): Promise<readonly number[]> {
    return this.exclusive(() => super.listPlacesOf(period))
  }

  /** Waits for writes under way: until then bodies and index may differ. */
  async settle(): Promise<void> {
    await this.exclusive(async () => undefined)
  }

  /** Whether nothing is left of a period, with no write under way: what was seen of it was deleted since. */
  async isGone(period: Period): Promise<boolean> {
    if ((await this.listPlacesOf(period)).length > 0) return false
    return (await this.index.get(summaryKey(period))) === undefined
  }

  /** Waits for what is under way. The databases belong to whoever opened them. */
  async close(): Promise<void> {
    await this.tail
    await this.underWay
  }

  /** Periods that are newer than all others are written while the next one begins; any other alone. */
  private async beginPeriod(period: ArchivedPeriod): Promise<{ readonly written: Promise<void> }> {
    const { manifest, summary, seals, executionResults } = period
    await this.disk?.checkRoom(summary.bodyBytes + seals.length + executionResults.length)
    await this.ballast?.restore()
    const values = listValues(period)
    if (this.newestBegun !== undefined && manifest.period <= this.newestBegun) {
      await this.underWay
      await this.writeOutOfOrder(period, await this.listLacking(manifest, values))
      return { written: Promise.resolve() }
    }
    this.newestBegun = manifest.period
    const written = this.writeNewest(period, values)
    this.underWay = Promise.allSettled([this.underWay, written])
    return { written }
  }

  private async writeNewest(period: ArchivedPeriod, values: readonly PeriodValue[]): Promise<void> {
    const number = period.manifest.period
    try {
      await this.bodies.write(this.seal({ period: number }, values), { sync: true })
    } catch (error) {
      this.indexWriter.addDoubtful(number)
      // Unless there is another behind it, it may be tried again as the newest one.
      if (this.newestBegun === number) this.newestBegun = this.newest
      throw error
    }
    this.newest = number
    await this.indexWriter.add(period)
  }

  /** Waits for its turn together with those that wait right before it, if these are of other periods. */
  private joinParts(waiting: WaitingPart): void {
    const { period } = waiting.part.manifest
    const joined = this.waitingParts
    if (joined && joined.length < MAX_JOINED_PARTS && joined.every(({ part }) => part.manifest.period !== period)) {
      joined.push(waiting)
      return
    }
    const begun = [waiting]
    // Each of them is told by itself how it went.
    void this.exclusive(async () => {
      if (this.waitingParts === begun) this.waitingParts = undefined
      await this.addParts(begun)
    })
    this.waitingParts = begun
  }

  /** The databases join what is written at the same time: one sync of each for all. Never rejects. */
  private async addParts(waiting: readonly WaitingPart[]): Promise<void> {
    const roomy: WaitingPart[] = []
    for (const each of waiting) {
      try {
        await this.disk?.checkRoom(sumBytes(each.part))
        await this.ballast?.restore()
        roomy.push(each)
      } catch (error) {
        each.reject(error)
      }
    }
    await Promise.all(roomy.map(({ part, resolve, reject }) => this.addPart(part).then(resolve, reject)))
  }

  private async addPart(part: CheckedPart): Promise<void> {
    const { manifest } = part
    const { period } = manifest
    const own = await this.readManifest(period)
    if (own && !equalBytes(computePeriodRoot(own), computePeriodRoot(manifest))) throw conflict(period)
    const before = { manifest: own, holding: await this.readHolding(period) }
    const change = await planPart(part, before, {
      readChunk: (index) => this.readChunk(period, index),
      readSeals: () => this.readSeals(period).catch(unlessDamaged),
      readSummary: async () => (await this.readSummary(period)) ?? this.computeSummary(period),
      isKept: (value) => this.isKept(period, value),
    })
    await this.writeChange(change)
    this.newest = maxPeriod(this.newest, period)
    this.newestBegun = maxPeriod(this.newestBegun, period)
  }

  /** Alone: what comes and goes, and the holding that says so, in one batch. */
  private async writeChange({ manifest, summary, holding, values, dropped }: PeriodChange): Promise<void> {
    const { period } = manifest
    const all = holding ? [...values, { n: HOLDING, value: encodeHolding(holding) }] : values
    const gone = holding ? dropped : [...dropped, ...(await this.listStaleHolding(period))]
    await this.index.write([{ type: 'put', key: pendingKey(period), value: NOTHING }], { sync: true })
    try {
      await this.bodies.write(this.seal({ period, dropped: gone }, all), { sync: true })
      await this.index.write(putIndexOperations(manifest, summary, holding), { sync: false })
    } catch (error) {
      this.indexWriter.addDoubtful(period)
      throw error
    }
  }

  /** The holding of a period that becomes whole. */
  private async listStaleHolding(period: Period): Promise<readonly number[]> {
    const range = { gte: encodeBodyKey(period, HOLDING), lt: encodeBodyKey(period, EXECUTION_RESULTS) }
    return (await this.bodies.firstKey(range)) === undefined ? [] : [HOLDING]
  }

  private seal(options: SealedPeriodOptions, values: readonly PeriodValue[]): SealedPeriod {
    return new SealedPeriod({ ...options, memory: this.sealMemory }, values)
  }

  private setNewest(period: Period | undefined): void {
    this.newest = period
    this.newestBegun = period
  }

  /** What of `values` is not on disk already. */
  private async listLacking(manifest: Manifest, values: readonly PeriodValue[]): Promise<readonly PeriodValue[]> {
    // A damaged manifest decides nothing: the new one takes its place.
    const own = await this.readManifest(manifest.period).catch(unlessDamaged)
    if (!own) return values
    if (!equalBytes(computePeriodRoot(own), computePeriodRoot(manifest))) throw conflict(manifest.period)
    const lacking: PeriodValue[] = []
    for (const value of values) if (!(await this.isKept(manifest.period, value))) lacking.push(value)
    return lacking
  }

  /**
   * Chunks must be equal, and the manifest, which may have said another length of the last chunk while that was not here;
   * of SEALS and execution results the first intact ones stay.
   */
  private async isKept(period: Period, { n, value }: PeriodValue): Promise<boolean> {
    const sealed = await this.bodies.get(encodeBodyKey(period, n)).catch(() => undefined)
    const found = sealed && openValue(sealed)
    return found !== undefined && (!(isChunkPlace(n) || n === MANIFEST) || equalBytes(found, value))
  }

  /** Not newer than all others: `recover` would not find it missing in the index. */
  private async writeOutOfOrder(period: ArchivedPeriod, values: readonly PeriodValue[]): Promise<void> {
    const number = period.manifest.period
    await this.index.write([{ type: 'put', key: pendingKey(number), value: NOTHING }], { sync: true })
    const dropped = await this.listStaleHolding(number)
    const sealed = this.seal({ period: number, dropped }, values)
    if (sealed.sizeBytes > 0) await this.bodies.write(sealed, { sync: true })
    await this.indexWriter.add(period)
  }

  /** @param thorough - look for index entries whose manifests are gone already, which takes a walk over all places */
  private async finishDeletion(from: Period, to: Period, thorough: boolean): Promise<void> {
    const unread = await this.deleteBodies(from, to)
    if (thorough || unread > 0) await this.indexWriter.deleteStale(from, to)
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
      const manifest = await this.readStoredManifest(period).catch(() => undefined)
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

  private checkPeriod(period: ArchivedPeriod): void {
    const { manifest, chunks, summary } = period
    checkManifest(manifest, this.identity)
    const wrong = (what: string) =>
      new ArchiveError('STORE_PERIOD_INVALID', `period ${manifest.period}: ${what}`, { period: manifest.period })
    if (chunks.length !== manifest.chunks.length || summary.chunks !== chunks.length) throw wrong('number of chunks')
    for (const [i, { byteLength }] of manifest.chunks.entries()) {
      if (chunks[i]?.length !== byteLength) throw wrong(`length of chunk ${i}`)
    }
    const bodyBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (summary.period !== manifest.period || summary.bodyBytes !== bodyBytes) throw wrong('summary')
    if (!equalBytes(summary.root, computePeriodRoot(manifest))) throw wrong('root')
  }

  /** Alone, with every index entry written. */
  private exclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.queue(async () => {
      await this.underWay
      return task()
    })
  }

  private queue<T>(task: () => Promise<T>): Promise<T> {
    // Whoever comes later does not overtake it.
    this.waitingParts = undefined
    const done = this.tail.then(task)
    this.tail = done.catch(() => undefined)
    return done
  }
}

const DAMAGE = ['STORE_VALUE_CORRUPT', 'STORE_READ_FAILED', 'STORE_HOLDING_INVALID', 'CORE_MANIFEST_INVALID'] as const

function unlessDamaged(error: unknown): undefined {
  if (DAMAGE.some((code) => isArchiveError(error, code))) return undefined
  throw error
}

function sumBytes({ chunks, seals, executionResults }: CheckedPart): number {
  return [...chunks.values(), seals, executionResults].reduce((sum, value) => sum + (value?.length ?? 0), 0)
}

function conflict(period: Period): ArchiveError {
  return new ArchiveError('STORE_PERIOD_CONFLICT', `period ${period} is archived with another manifest`, { period })
}

function maxPeriod(a: Period | undefined, b: Period | undefined): Period | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
