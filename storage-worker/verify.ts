import { basename, join } from 'node:path'
import {
  type ArchivedPeriod,
  computePeriodRoot,
  type ErrorCode,
  equalBytes,
  isArchiveError,
  type Manifest,
  type Period,
} from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import type { GuardedLevel } from './guarded-level.ts'
import type { IntactPeriod } from './hash-worker.ts'
import { KeySum, sumPlaces } from './key-sum.ts'
import {
  bodyRange,
  decodeBodyKey,
  decodePeriod,
  EXECUTION_RESULTS,
  encodeBodyKey,
  keyspaceRange,
  periodRange,
  SEALS,
} from './keyspace.ts'
import {
  computeSummaryFacts,
  decodePlaceKey,
  decodePlacePeriod,
  decodeSummary,
  isSummaryOf,
  placeKeys,
  type SummaryFacts,
  summaryKey,
} from './period-index.ts'
import { SEAL_BYTES } from './sealed-value.ts'
import { SealsCheck } from './seals-check.ts'
import { findDamagedTables, listTableFiles } from './table-file.ts'
import { type OpenPeriods, TablePeriods } from './table-periods.ts'
import { TableRows } from './table-rows.ts'
import { readKeyRange } from './table-scan.ts'
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
/** Against compactions; damaged tables need as many. */
const LIST_ATTEMPTS = 3
const NO_PERIODS = { from: 0, to: -1 } as const

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
  /** Whether the tables looked at hold all there is. */
  private isComplete = true
  private readonly rows = new TableRows()
  private readonly found = new TablePeriods()
  private readonly unindexed: SummaryFacts[] = []
  /** Periods with a manifest. */
  private readonly checked: Period[] = []
  private readonly badSummaries = new Set<Period>()
  private readonly wantedPlaces = new KeySum()
  private readonly orphans = new Map<Period, readonly number[]>()
  private readonly gaps: { from: Period; to: Period }[] = []
  private lastVisible: Period | undefined
  private periods = 0
  private chunks = 0
  private bytes = 0
  private intactSummaries = 0

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
   * Periods that lie in one table alone and are intact are settled by it. Of all others the database says which values
   * there are, and tables what their bytes are; what they do not say, and what they say is damaged, is read through the
   * database.
   */
  private async checkTables(pool: VerifyPool, signal?: AbortSignal): Promise<void> {
    const { bodies, identity } = this.store
    const { from, to } = this
    const tables = (await listTables(bodies)).filter(({ periods }) => periods === undefined || periods.first <= to)
    const alone = findAlone(tables, { from, to })
    const range = bodyRange(from, to)
    const deep = this.options.deep ?? false
    const jobs = tables.map(({ path }, i) => {
      return { path, range, deep, network: identity.network, alone: alone[i] ?? NO_PERIODS }
    })
    let isSound = !this.damages.some(({ code }) => code === 'STORE_DATABASE_DAMAGED')
    let at = from
    let done = 0
    for await (const facts of pool.scan(jobs)) {
      signal?.throwIfAborted()
      const table = tables[done++]
      if (table && facts?.damage !== undefined) {
        this.nameTable(bodies, basename(table.path))
        isSound = false
      }
      // What a compaction took away meanwhile lies in a table that is not on our list.
      if (!facts) this.isComplete = false
      else {
        this.rows.add(facts)
        this.found.add(facts, { from, to })
      }
      // LevelDB reads ahead into the next table: it must be known to be sound, too.
      const next = table?.periods?.first
      if (!isSound || next === undefined || next <= at) continue
      if (this.isComplete) await this.takeFound(next, signal)
      else await this.checkPeriods(at, Math.min(next - 1, to), signal)
      at = next
    }
    if (!isSound) return
    if (this.isComplete) await this.takeFound(to + 1, signal)
    else if (at <= to) await this.checkPeriods(at, to, signal)
  }

  private async takeFound(limit: Period, signal?: AbortSignal): Promise<void> {
    for (const found of this.found.takeBelow(limit)) {
      if ('root' in found) await this.takeIntact(found)
      else await this.checkPeriods(found.from, found.to, signal)
    }
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
    if (this.isComplete && known.size === job.places.length && job.places.every((n) => known.has(n))) {
      const findings = verifyPeriod(job, this.store.identity.network, (n) => known.get(n))
      const isCut = this.options.deep === true && known.get(SEALS)?.sealsFit === undefined
      if (findings.findings.length === 0) return isCut ? this.checkSeals(job, findings) : findings
    }
    return this.readPeriod(job)
  }

  /** Of a period that lies in two tables: its chunks are hashed, and held against SEALS here. */
  private async checkSeals({ period, places }: PeriodPlaces, sound: PeriodFindings): Promise<PeriodFindings> {
    const check = new SealsCheck()
    let sealsFit: boolean | undefined
    for (const n of places) {
      const sealed = await this.store.bodies.get(encodeBodyKey(period, n))
      const value = sealed?.subarray(SEAL_BYTES)
      if (value && n < EXECUTION_RESULTS) check.takeChunk(n, value)
      if (value && n === SEALS) sealsFit = check.fits(value)
    }
    return sealsFit === false ? { ...sound, findings: [{ what: 'seals', code: 'CORE_SEALS_INVALID' }] } : sound
  }

  private async readPeriod(job: PeriodPlaces): Promise<PeriodFindings> {
    const facts = new Map<number, ValueFact>()
    const deep = this.options.deep ?? false
    const seals = deep ? new SealsCheck() : undefined
    for (const n of job.places) {
      try {
        const sealed = await this.store.bodies.get(encodeBodyKey(job.period, n))
        if (sealed) facts.set(n, computeValueFact(n, sealed, deep, seals))
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
    if (result.manifest) await this.noteManifest(computeSummaryFacts(result.manifest), sumPlaces(result.manifest))
    // A damaged period is no gap.
    this.noteVisible(result.period)
    this.onProgress({ period: result.period, bytes: this.bytes })
  }

  private async takeIntact(found: IntactPeriod): Promise<void> {
    const { period, valueBytes, chunks: count, low, high } = found
    this.bytes += valueBytes
    await this.noteManifest(found, { count, low, high })
    this.noteVisible(period)
    this.onProgress({ period, bytes: this.bytes })
  }

  private async noteManifest(facts: SummaryFacts, places: Pick<KeySum, 'count' | 'low' | 'high'>): Promise<void> {
    this.periods++
    this.chunks += facts.chunks
    this.checked.push(facts.period)
    this.wantedPlaces.addParts(places.count, places.low, places.high)
    this.unindexed.push(facts)
    if (this.unindexed.length >= PERIODS_PER_LOOK) await this.flush()
  }

  private noteVisible(period: Period): void {
    const { lastVisible } = this
    if (lastVisible !== undefined && period > lastVisible + 1) this.gaps.push({ from: lastVisible + 1, to: period - 1 })
    this.lastVisible = period
  }

  /** Holds summaries against the manifests gathered. */
  private async flush(): Promise<void> {
    const wanted = this.unindexed.splice(0)
    const [first, last] = [wanted[0], wanted.at(-1)]
    if (!first || !last) return
    const summaries = new Map<Period, Uint8Array>()
    for await (const page of this.store.index.entryPages(periodRange('periodSummaries', first.period, last.period))) {
      for (const [key, value] of page) summaries.set(decodePeriod(key, 1), value)
    }
    for (const facts of wanted) {
      if (isSummaryOf(facts, summaries.get(facts.period))) this.intactSummaries++
      else {
        this.badSummaries.add(facts.period)
        this.name(facts.period, 'index', 'STORE_INDEX_WRONG')
      }
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
    const places = new KeySum()
    for await (const page of index.keyPages(keyspaceRange('merkleRoots'))) {
      for (const key of page) if (this.isInRange(key)) places.add(key)
    }
    if (places.equals(this.wantedPlaces)) return
    await this.nameMissingPlaces()
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

  private async nameMissingPlaces(): Promise<void> {
    for (const period of this.checked) {
      const manifest = this.badSummaries.has(period) ? undefined : await this.readManifest(period)
      const places = manifest ? await this.store.index.getMany(placeKeys(manifest)) : []
      if (places.some((place) => place === undefined)) this.name(period, 'index', 'STORE_INDEX_WRONG')
    }
  }

  private isInRange(key: Uint8Array): boolean {
    const period = decodePlacePeriod(key)
    return period === undefined || (period >= this.from && period <= this.to)
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
      // A node that has forgotten a block of it, or is on another chain, gives another period.
      if (fetched && (await this.isRecorded(fetched))) await this.store.replacePeriod(fetched)
    }
    if (this.damages.some((damage) => damage.what === 'index')) {
      await this.store.rebuildIndex({ from: this.from, to: this.to })
    }
    await this.confirmRepairs()
  }

  /** Whether it has the root that the index recorded when it was archived, or else that of the manifest. */
  private async isRecorded({ manifest, summary }: ArchivedPeriod): Promise<boolean> {
    const { period } = manifest
    const value = await this.store.index.get(summaryKey(period))
    const own = await this.readManifest(period)
    const root = (value && decodeSummary(period, value)?.root) ?? (own?.period === period && computePeriodRoot(own))
    return root instanceof Uint8Array && equalBytes(root, summary.root)
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

interface TablePlace {
  readonly path: string
  /** Absent: not known. */
  readonly periods?: { readonly first: Period; readonly last: Period }
}

/**
 * Table files of `bodies` with the first and last period of each, ascending; those of which it is not known first. One
 * that is not there stands for those that a compaction deleted.
 */
async function listTables(bodies: GuardedLevel): Promise<TablePlace[]> {
  const { location } = bodies
  if (location === undefined) return []
  // What is in memory goes into a table: all of it is to be read from disk. No key is in the range.
  await bodies.compact(BEYOND_ALL, BEYOND_ALL)
  for (let attempt = 1; ; attempt++) {
    const live = bodies.listTables() ?? new Map<number, number>()
    const names = listTableFiles(location, live)
    const tables = names.map((name) => readTablePlace(join(location, name)))
    // A compaction deletes files while we look: what they held lies in others then.
    const isWhole = names.length === live.size && tables.every(({ periods }) => periods !== undefined)
    if (!isWhole && attempt < LIST_ATTEMPTS) continue
    if (names.length < live.size) tables.push({ path: join(location, 'deleted') })
    return tables.sort((a, b) => (a.periods?.first ?? -1) - (b.periods?.first ?? -1))
  }
}

function readTablePlace(path: string): TablePlace {
  const keys = readKeyRange(path)
  const first = keys && decodeBodyKey(keys.first)?.period
  const last = keys && decodeBodyKey(keys.last)?.period
  return first === undefined || last === undefined ? { path } : { path, periods: { first, last } }
}

/** For each of the tables, ascending, periods within [from, to] of which it alone holds something. */
function findAlone(tables: readonly TablePlace[], range: OpenPeriods): OpenPeriods[] {
  // One that may hold anything leaves nobody alone.
  if (tables.some(({ periods }) => periods === undefined)) return tables.map(() => NO_PERIODS)
  let before = -1
  return tables.map(({ periods = { first: 0, last: -1 } }, i) => {
    const from = Math.max(periods.first, before + 1, range.from)
    const to = Math.min(periods.last, (tables[i + 1]?.periods?.first ?? Number.MAX_SAFE_INTEGER) - 1, range.to)
    before = Math.max(before, periods.last)
    return { from, to }
  })
}
