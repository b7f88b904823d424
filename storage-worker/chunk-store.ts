import {
  type ArchivedPeriod,
  ArchiveError,
  type ChunkStore,
  computePeriodRoot,
  concatBytes,
  encodeManifest,
  equalBytes,
  isArchiveError,
  type Manifest,
  type Period,
  type StoreIdentity,
} from '../core/index.ts'
import type { Ballast } from './ballast.ts'
import { ChunkReader, type OnRead } from './chunk-reader.ts'
import type { DiskSpace } from './disk-space.ts'
import type { GuardedLevel, LevelOperation } from './guarded-level.ts'
import { IndexWriter } from './index-writer.ts'
import {
  bodyRange,
  decodePeriod,
  EXECUTION_RESULTS,
  encodeBodyKey,
  encodeIndexKey,
  encodePeriod,
  keyspaceRange,
  LAST_PERIOD,
  MANIFEST,
  periodRange,
} from './keyspace.ts'
import { deleteIndexOperations, pendingKey } from './period-index.ts'
import { listValues, type PeriodValue, SealedPeriod, SealMemory } from './sealed-period.ts'
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

/**
 * Periods in two LevelDB databases: bodies ascending by period, and an index rebuilt from them.
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
   * @remarks Of a period that is archived already, values that are missing or damaged are written and others kept.
   */
  async writePeriod(period: ArchivedPeriod): Promise<void> {
    this.checkPeriod(period)
    const { written } = await this.queue(() => this.beginPeriod(period))
    await written
  }

  async deletePeriods(from: Period, to: Period): Promise<void> {
    if (from > to) return
    await this.exclusive(async () => {
      const until = Math.min(to, LAST_PERIOD)
      const value = concatBytes(encodePeriod(from), encodePeriod(until))
      // From here on the deletion is finished even if the process dies: half a range must not look like damage.
      await this.index.write([{ type: 'put', key: DELETION_KEY, value }], { sync: true })
      await this.finishDeletion(from, until, false)
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
    await this.exclusive(() => this.writeOutOfOrder(period, listValues(period)))
  }

  /** Waits for writes under way: until then bodies and index may differ. */
  async settle(): Promise<void> {
    await this.exclusive(async () => undefined)
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
      await this.bodies.write(this.seal(number, values), { sync: true })
    } catch (error) {
      this.indexWriter.addDoubtful(number)
      // Unless there is another behind it, it may be tried again as the newest one.
      if (this.newestBegun === number) this.newestBegun = this.newest
      throw error
    }
    this.newest = number
    await this.indexWriter.add(period)
  }

  private seal(period: Period, values: readonly PeriodValue[]): SealedPeriod {
    return new SealedPeriod(period, values, this.sealMemory)
  }

  private setNewest(period: Period | undefined): void {
    this.newest = period
    this.newestBegun = period
  }

  /** What of `values` is not on disk already. */
  private async listLacking(manifest: Manifest, values: readonly PeriodValue[]): Promise<readonly PeriodValue[]> {
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
    const lacking: PeriodValue[] = []
    for (const value of values) if (!(await this.isKept(manifest.period, value))) lacking.push(value)
    return lacking
  }

  /** Chunks must be equal; of SEALS and execution results the first intact ones stay. */
  private async isKept(period: Period, { n, value }: PeriodValue): Promise<boolean> {
    const sealed = await this.bodies.get(encodeBodyKey(period, n)).catch(() => undefined)
    const found = sealed && openValue(sealed)
    return found !== undefined && (n >= EXECUTION_RESULTS || equalBytes(found, value))
  }

  /** Not newer than all others: `recover` would not find it missing in the index. */
  private async writeOutOfOrder(period: ArchivedPeriod, values: readonly PeriodValue[]): Promise<void> {
    const number = period.manifest.period
    await this.index.write([{ type: 'put', key: pendingKey(number), value: NOTHING }], { sync: true })
    if (values.length > 0) await this.bodies.write(this.seal(number, values), { sync: true })
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
      await this.underWay
      return task()
    })
  }

  private queue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.tail.then(task)
    this.tail = done.catch(() => undefined)
    return done
  }
}

function maxPeriod(a: Period | undefined, b: Period | undefined): Period | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.max(a, b)
}
