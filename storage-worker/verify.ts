import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  type ArchivedPeriod,
  computeBodyBytes,
  computePeriodRoot,
  type ErrorCode,
  equalBytes,
  isArchiveError,
  type Manifest,
  type Period,
} from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { bodyRange, decodeBodyKey, decodePeriod, encodeBodyKey, keyspaceRange, periodRange } from './keyspace.ts'
import { decodePlaceKey, decodeSummary, placeKeys } from './period-index.ts'
import { findDamagedTables } from './table-file.ts'
import { TableRows } from './table-rows.ts'
import { readFirstKey } from './table-scan.ts'
import { computeValueFact, type ValueFact } from './value-fact.ts'
import { type PeriodFindings, type PeriodPlaces, verifyPeriod } from './verify-period.ts'
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
  /** Also recompute chunk ids from leaves. */
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

/** Behind every key of `bodies`. */
const BEYOND_ALL = new Uint8Array(13).fill(0xff)
/** Periods whose index entries are asked for together. */
const PERIODS_PER_LOOK = 256

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
  /** Absent: everything is read through the database, in this thread. */
  private readonly pool: VerifyPool | undefined
  private readonly from: Period
  private readonly to: Period
  private damages: Damage[] = []
  private readonly rows = new TableRows()
  private readonly unindexed: Manifest[] = []
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
    if (store.bodies.location !== undefined && options.threads !== 0) this.pool = new VerifyPool(options.threads)
  }

  async close(): Promise<void> {
    await this.pool?.close()
  }

  async verify(signal?: AbortSignal): Promise<VerifyReport> {
    const { store, pool } = this
    this.findDamagedTables(store.index)
    if (pool) await this.checkTables(pool, signal)
    else this.findDamagedTables(store.bodies)
    // LevelDB may end the process when it reads them: then nothing else is looked at (`openStore` with `repair`).
    const damaged = this.damages.filter(({ code }) => code === 'STORE_DATABASE_DAMAGED')
    if (damaged.length > 0) return { ...this.report(), damages: damaged }
    if (!pool) await this.checkPeriods(this.from, this.to, signal)
    await this.flush()
    await this.checkIndexHasNoMore()
    const isWhole = this.options.from === undefined && this.options.to === undefined
    if (isWhole) this.damages.push(...(await sweepSpool(this.store.index, this.options.repair ?? false)))
    if (this.options.repair) await this.repair(signal)
    return this.report()
  }

  private findDamagedTables(level: GuardedLevel): void {
    if (level.location === undefined) return
    for (const { name } of findDamagedTables(level.location, level.listTables(), true)) this.nameTable(level, name)
  }

  private nameTable(level: GuardedLevel, file: string): void {
    this.damages.push({ what: `${level.name}/${file}`, code: 'STORE_DATABASE_DAMAGED', repairable: true })
  }

  /**
   * Hashes tables in threads, and goes through the periods behind them.
   *
   * Which values there are the database says; tables say what their bytes are. What they do not say, and what they say
   * is damaged, is read through the database.
   */
  private async checkTables(pool: VerifyPool, signal?: AbortSignal): Promise<void> {
    const { bodies } = this.store
    const tables = (await listTables(bodies)).filter(({ first }) => first === undefined || first <= this.to)
    const range = bodyRange(this.from, this.to)
    const jobs = tables.map(({ path }) => ({ path, range, deep: this.options.deep ?? false }))
    let isSound = !this.damages.some(({ code }) => code === 'STORE_DATABASE_DAMAGED')
    let at = this.from
    let done = 0
    for await (const facts of pool.scan(jobs)) {
      signal?.throwIfAborted()
      const table = tables[done++]
      if (table && facts?.damage !== undefined) {
        this.nameTable(bodies, basename(table.path))
        isSound = false
      }
      if (facts) this.rows.add(facts)
      // LevelDB reads ahead into the next table: it must be known to be sound, too.
      const next = tables[done - 1]?.first
      if (!isSound || next === undefined || next <= at) continue
      await this.checkPeriods(at, Math.min(next - 1, this.to), signal)
      at = next
    }
    if (isSound && at <= this.to) await this.checkPeriods(at, this.to, signal)
  }

  private report(): VerifyReport {
    const { periods, chunks, bytes, gaps } = this
    const damages = this.damages.toSorted((a, b) => (a.period ?? -1) - (b.period ?? -1))
    return { periods, chunks, bytes, damages, gaps }
  }

  /** Past an unreadable file of LevelDB it goes on with the next period of the index. */
  private async checkPeriods(from: Period, to: Period, signal?: AbortSignal): Promise<void> {
    let at: Period | undefined = from
    while (at !== undefined && at <= to) {
      const start: Period = at
      let last: Period | undefined
      try {
        for await (const page of this.store.listPlacePages(start, to)) {
          signal?.throwIfAborted()
          for (const places of page) {
            last = places.period
            await this.take(await this.checkPeriod(places))
          }
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

  private checkPeriod(job: PeriodPlaces): PeriodFindings | Promise<PeriodFindings> {
    const known = this.rows.take(job.period)
    if (known.size >= job.places.length && job.places.every((n) => known.has(n))) {
      const findings = verifyPeriod(job, this.store.identity.network, (n) => known.get(n))
      if (findings.findings.length === 0) return findings
    }
    return this.readPeriod(job)
  }

  private async readPeriod(job: PeriodPlaces): Promise<PeriodFindings> {
    const facts = new Map<number, ValueFact>()
    for (const n of job.places) {
      try {
        const sealed = await this.store.bodies.get(encodeBodyKey(job.period, n))
        if (sealed) facts.set(n, computeValueFact(n, sealed, this.options.deep ?? false))
      } catch {
        facts.set(n, { state: 'unreadable', sealedBytes: 0 })
      }
    }
    return verifyPeriod(job, this.store.identity.network, (n) => facts.get(n))
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
      this.periods++
      this.chunks += result.manifest.chunks.length
      this.unindexed.push(result.manifest)
      if (this.unindexed.length >= PERIODS_PER_LOOK) await this.flush()
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

  /** Holds the index against the manifests gathered. */
  private async flush(): Promise<void> {
    const manifests = this.unindexed.splice(0)
    const [first, last] = [manifests[0], manifests.at(-1)]
    if (!first || !last) return
    const { index } = this.store
    const summaries = new Map<Period, Uint8Array>()
    for await (const page of index.entryPages(periodRange('periodSummaries', first.period, last.period))) {
      for (const [key, value] of page) summaries.set(decodePeriod(key, 1), value)
    }
    const places = await index.getMany(manifests.flatMap(placeKeys))
    let at = 0
    for (const manifest of manifests) {
      const isRight = isSummaryOf(manifest, summaries.get(manifest.period))
      if (isRight) this.intactSummaries++
      let found = 0
      for (const end = at + manifest.chunks.length; at < end; at++) if (places[at] !== undefined) found++
      this.intactPlaces += found
      if (!isRight || found < manifest.chunks.length) this.name(manifest.period, 'index', 'STORE_INDEX_WRONG')
    }
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

function isSummaryOf(manifest: Manifest, value: Uint8Array | undefined): boolean {
  const summary = value && decodeSummary(manifest.period, value)
  return (
    summary !== undefined &&
    equalBytes(summary.root, computePeriodRoot(manifest)) &&
    summary.bodyBytes === computeBodyBytes(manifest) &&
    summary.chunks === manifest.chunks.length &&
    summary.blocks === countBits(manifest.bitmap)
  )
}

/**
 * Table files of a database with the first period of each, ascending; those of level 0 first and without one, since they
 * overlap all others.
 */
async function listTables(bodies: GuardedLevel): Promise<{ readonly path: string; readonly first?: Period }[]> {
  const { location } = bodies
  if (location === undefined) return []
  // What is in memory goes into a table: all of it is to be read from disk. No key is in the range.
  await bodies.compact(BEYOND_ALL, BEYOND_ALL)
  const live = bodies.listTables() ?? new Map<number, number>()
  const tables: { path: string; first?: Period }[] = []
  for (const name of await readdir(location)) {
    const level = live.get(Number(/^(\d+)\.(ldb|sst)$/.exec(name)?.[1]))
    if (level === undefined) continue
    const path = join(location, name)
    const key = level === 0 ? undefined : readFirstKey(path)
    const first = key && decodeBodyKey(key)?.period
    tables.push(first === undefined ? { path } : { path, first })
  }
  return tables.sort((a, b) => (a.first ?? -1) - (b.first ?? -1))
}

function countBits(bitmap: number): number {
  let count = 0
  for (let rest = bitmap; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}
