import {
  type ArchivedPeriod,
  computeBodyBytes,
  computePeriodRoot,
  type ErrorCode,
  equalBytes,
  isArchiveError,
  type Manifest,
  type Period,
  parseManifest,
} from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import { decodePeriod, keyspaceRange, periodRange } from './keyspace.ts'
import { decodePlaceKey, decodeSummary, placeKeys, summaryKey } from './period-index.ts'
import { findDamagedTables } from './table-file.ts'
import type { PeriodFindings, PeriodJob } from './verify-period.ts'
import { VerifyPool } from './verify-pool.ts'
import { sweepSpool } from './verify-spool.ts'

export interface Damage {
  /** Absent: of no period (marks, quarantine). */
  readonly period?: Period
  /** 'chunk 3', 'seals', 'execution results', 'manifest', 'body', 'index', 'spool blocks', 'database files' ... */
  readonly what: string
  readonly code: ErrorCode
  /** From what is at hand: the index from the bodies, the rest through `refetchPeriod`. */
  readonly repairable: boolean
  /** Set when repair was asked for. */
  readonly repaired?: boolean
}

export interface VerifyReport {
  /** Visible periods that were looked at. */
  readonly periods: number
  readonly chunks: number
  /** Read from `bodies`. */
  readonly bytes: number
  readonly damages: readonly Damage[]
  /** Periods between the first and the last that are not archived; no damage. */
  readonly gaps: readonly { readonly from: Period; readonly to: Period }[]
}

export interface VerifyOptions {
  readonly from?: Period
  readonly to?: Period
  /** Also recompute chunk ids from leaves, and parse BODY and SEALS. */
  readonly deep?: boolean
  /** Write what can be written anew. */
  readonly repair?: boolean
  /** Gives a period from elsewhere, verified; `undefined` when nobody has it. */
  readonly refetchPeriod?: (period: Period) => Promise<ArchivedPeriod | undefined>
  /** Default: one per core; 0: in this thread. */
  readonly threads?: number
}

export interface VerifyProgress {
  readonly period: Period
  readonly bytes: number
}

/** Values per job: enough to hide the way to the thread and back, few enough to spread. */
const PLACES_PER_JOB = 64
const JOBS_PER_THREAD = 3

/**
 * Reads everything of [from, to] again and names what is not as it was written.
 *
 * Damage is never thrown: it is in the report. Throws only what `signal` aborts with.
 */
export async function verifyArchive(
  store: LevelChunkStore,
  options: VerifyOptions,
  onProgress: (progress: VerifyProgress) => void = () => undefined,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const run = new VerifyRun(store, options, onProgress)
  try {
    return await run.verify(signal)
  } finally {
    await run.close()
  }
}

class VerifyRun {
  private readonly store: LevelChunkStore
  private readonly options: VerifyOptions
  private readonly onProgress: (progress: VerifyProgress) => void
  private readonly pool: VerifyPool
  private readonly from: Period
  private readonly to: Period
  private damages: Damage[] = []
  private readonly orphans = new Map<Period, readonly number[]>()
  private readonly gaps: { from: Period; to: Period }[] = []
  private lastVisible: Period | undefined
  private periods = 0
  private chunks = 0
  private bytes = 0
  private intactSummaries = 0
  private intactPlaces = 0

  constructor(store: LevelChunkStore, options: VerifyOptions, onProgress: (progress: VerifyProgress) => void) {
    this.store = store
    this.options = options
    this.onProgress = onProgress
    this.from = options.from ?? 0
    this.to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER - 1)
    this.pool = new VerifyPool(store.bodies, {
      network: store.identity.network,
      deep: options.deep ?? false,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    })
  }

  async close(): Promise<void> {
    await this.pool.close()
  }

  async verify(signal?: AbortSignal): Promise<VerifyReport> {
    if (this.findDamagedTables()) return this.report()
    await this.checkBodies(signal)
    await this.checkIndexHasNoMore()
    const isWhole = this.options.from === undefined && this.options.to === undefined
    if (isWhole) this.damages.push(...(await sweepSpool(this.store.index, this.options.repair ?? false)))
    if (this.options.repair) await this.repair(signal)
    return this.report()
  }

  /** LevelDB may end the process when it reads them: then nothing else is looked at (`openStore` with `repair`). */
  private findDamagedTables(): boolean {
    for (const level of [this.store.bodies, this.store.index]) {
      if (level.location === undefined) continue
      for (const { name } of findDamagedTables(level.location, level.listTables(), true)) {
        this.damages.push({ what: `${level.name}/${name}`, code: 'STORE_DATABASE_DAMAGED', repairable: true })
      }
    }
    return this.damages.length > 0
  }

  private report(): VerifyReport {
    const { periods, chunks, bytes, gaps } = this
    const damages = this.damages.toSorted((a, b) => (a.period ?? -1) - (b.period ?? -1))
    return { periods, chunks, bytes, damages, gaps }
  }

  private async checkBodies(signal?: AbortSignal): Promise<void> {
    const running: Promise<PeriodFindings[]>[] = []
    const settle = async () => {
      for (const findings of (await running.shift()) ?? []) await this.take(findings)
    }
    const jobs = this.listJobs()
    for (let next = await jobs.next(); !next.done; ) {
      signal?.throwIfAborted()
      const job = next.value
      next = await jobs.next()
      // A handful of values is not worth starting threads.
      const isAlone = next.done && running.length === 0
      const result = isAlone ? this.pool.verifyHere(job) : this.pool.verify(job)
      // It is awaited in order; until then a failure is not unhandled.
      result.catch(() => undefined)
      running.push(result)
      if (running.length >= Math.max(1, this.pool.threads * JOBS_PER_THREAD)) await settle()
    }
    while (running.length > 0) {
      signal?.throwIfAborted()
      await settle()
    }
  }

  private async *listJobs(): AsyncGenerator<PeriodJob[]> {
    let job: PeriodJob[] = []
    let places = 0
    for await (const period of this.listPeriods()) {
      job.push(period)
      places += period.places.length
      if (places >= PLACES_PER_JOB) {
        yield job
        job = []
        places = 0
      }
    }
    if (job.length > 0) yield job
  }

  /** Periods with their places; past an unreadable file of LevelDB it goes on with the next period of the index. */
  private async *listPeriods(): AsyncGenerator<PeriodJob> {
    let at: Period | undefined = this.from
    while (at !== undefined && at <= this.to) {
      const start: Period = at
      let last: Period | undefined
      try {
        for await (const period of this.store.listPlaces(start, this.to)) {
          last = period.period
          yield period
        }
        return
      } catch (error) {
        if (!isArchiveError(error, 'STORE_READ_FAILED')) throw error
        // The period where the walk broke off: its keys may be readable one by one.
        const period: Period = last === undefined ? start : last + 1
        this.damages.push({ period, what: 'database files', code: error.code, repairable: false })
        at = await this.nextIndexed(period)
        if (at === start && last === undefined) at = await this.nextIndexed(period + 1)
      }
    }
  }

  private async nextIndexed(period: Period): Promise<Period | undefined> {
    const key = await this.store.index.firstKey(periodRange('periodSummaries', period, this.to)).catch(() => undefined)
    return key && decodePeriod(key, 1)
  }

  private async take(result: PeriodFindings): Promise<void> {
    this.bytes += result.valueBytes
    for (const { what, code } of result.findings) this.name(result.period, what, code)
    if (result.orphans.length > 0) this.orphans.set(result.period, result.orphans)
    if (result.manifest) {
      const manifest = parseManifest(result.manifest)
      this.periods++
      this.chunks += manifest.chunks.length
      await this.checkIndex(manifest, result.operations)
    }
    // A damaged period is no gap.
    this.noteVisible(result.period)
    this.onProgress({ period: result.period, bytes: this.bytes })
  }

  private noteVisible(period: Period): void {
    const { lastVisible } = this
    if (lastVisible !== undefined && period > lastVisible + 1) this.gaps.push({ from: lastVisible + 1, to: period - 1 })
    this.lastVisible = period
  }

  private async checkIndex(manifest: Manifest, operations: number | undefined): Promise<void> {
    const { index } = this.store
    const value = await index.get(summaryKey(manifest.period))
    const summary = value && decodeSummary(manifest.period, value)
    const isRight =
      summary !== undefined &&
      equalBytes(summary.root, computePeriodRoot(manifest)) &&
      summary.bodyBytes === computeBodyBytes(manifest) &&
      summary.chunks === manifest.chunks.length &&
      summary.blocks === countBits(manifest.bitmap) &&
      (operations === undefined || summary.operations === operations)
    if (isRight) this.intactSummaries++
    const places = await index.getMany(placeKeys(manifest))
    const found = places.filter((place) => place !== undefined).length
    this.intactPlaces += found
    if (!isRight || found < places.length) this.name(manifest.period, 'index', 'STORE_INDEX_WRONG')
  }

  /** Entries of the index that no period stands behind. */
  private async checkIndexHasNoMore(): Promise<void> {
    const { index } = this.store
    let summaries = 0
    const range = periodRange('periodSummaries', this.from, this.to)
    for await (const _ of index.keys(range)) summaries++
    if (summaries > this.intactSummaries) {
      for await (const key of index.keys(range)) {
        const period = decodePeriod(key, 1)
        if ((await this.readManifest(period)) !== undefined) continue
        if (this.damages.some((damage) => damage.period === period && damage.what === 'manifest')) continue
        this.name(period, 'manifest', 'STORE_VALUE_MISSING')
      }
    }
    let places = 0
    for await (const key of index.keys(keyspaceRange('merkleRoots'))) if (this.isInRange(key)) places++
    if (places === this.intactPlaces) return
    for await (const key of index.keys(keyspaceRange('merkleRoots'))) {
      if (!this.isInRange(key)) continue
      const place = decodePlaceKey(key)
      const manifest = place && (await this.readManifest(place.period))
      const chunk = place && manifest?.chunks[place.index]
      // Of a period whose manifest is damaged the damage is named already.
      const isKnown =
        place !== undefined && manifest === undefined && this.damages.some((d) => d.period === place.period)
      if (isKnown || (chunk && place && equalBytes(chunk.chunkId, place.chunkId))) continue
      this.name(place?.period, 'index', 'STORE_INDEX_WRONG')
    }
  }

  private isInRange(key: Uint8Array): boolean {
    const place = decodePlaceKey(key)
    return !place || (place.period >= this.from && place.period <= this.to)
  }

  private async readManifest(period: Period): Promise<Manifest | undefined> {
    return this.store.readManifest(period).catch(() => undefined)
  }

  private name(period: Period | undefined, what: string, code: ErrorCode): void {
    const isLocal = what === 'index' || code === 'STORE_VALUE_ORPHANED'
    const repairable = isLocal || this.options.refetchPeriod !== undefined
    this.damages.push({ ...(period === undefined ? {} : { period }), what, code, repairable })
  }

  private async repair(signal?: AbortSignal): Promise<void> {
    for (const [period, places] of this.orphans) await this.store.deleteValues(period, places)
    const isBody = (damage: Damage) =>
      damage.period !== undefined && damage.what !== 'index' && damage.code !== 'STORE_VALUE_ORPHANED'
    const damaged = new Set(this.damages.filter(isBody).map((damage) => damage.period ?? 0))
    for (const period of damaged) {
      signal?.throwIfAborted()
      const fetched = await this.options.refetchPeriod?.(period)
      if (fetched) await this.store.replacePeriod(fetched)
    }
    if (this.damages.some((damage) => damage.what === 'index')) {
      await this.store.rebuildIndex({ from: this.from, to: this.to })
    }
    await this.confirmRepairs()
  }

  /** Only a second look says what is repaired. */
  private async confirmRepairs(): Promise<void> {
    const damages: Damage[] = []
    const still = new Map<Period, boolean>()
    for (const damage of this.damages) {
      const { period } = damage
      if (period === undefined || damage.repaired !== undefined) {
        damages.push(damage)
        continue
      }
      if (!still.has(period)) {
        const second = await verifyArchive(this.store, {
          from: period,
          to: period,
          deep: this.options.deep ?? false,
          threads: 0,
        })
        still.set(period, second.damages.length > 0 || (second.periods === 0 && damage.what !== 'index'))
      }
      damages.push({ ...damage, repaired: !still.get(period) })
    }
    this.damages = damages
  }
}

function countBits(bitmap: number): number {
  let count = 0
  for (let rest = bitmap; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}
