import { basename } from 'node:path'
import { isArchiveError, type Period } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import { sumPlaces } from './key-sum.ts'
import { bodyRange, decodePeriod, encodeBodyKey, isChunkPlace, periodRange, SEALS } from './keyspace.ts'
import { computeSummaryFacts, type SummaryFacts } from './period-index.ts'
import { SEAL_BYTES } from './sealed-value.ts'
import { SealsCheck } from './seals-check.ts'
import { type OpenPeriods, TablePeriods } from './table-periods.ts'
import { findAlone, listTablePlaces } from './table-places.ts'
import { TableRows } from './table-rows.ts'
import { computeValueFact, type ValueFact } from './value-fact.ts'
import { type PeriodFindings, type PeriodPlaces, verifyPeriod } from './verify-period.ts'
import type { VerifyPool } from './verify-pool.ts'
import type { DamageList } from './verify-report.ts'

/** A period that was looked at. */
export interface CheckedPeriod {
  readonly period: Period
  readonly valueBytes: number
  /** What the index must have of it; absent when its manifest is damaged. */
  readonly wanted?: WantedIndex
  /** Places of values that belong to no manifest, or to no chunk that is held. */
  readonly orphans: readonly number[]
}

export interface WantedIndex {
  readonly facts: SummaryFacts
  /** KeySum of its places. */
  readonly places: { readonly count: number; readonly low: number; readonly high: number }
}

export interface BodiesCheckOptions extends OpenPeriods {
  readonly deep: boolean
}

export interface BodiesCheckModules {
  readonly store: LevelChunkStore
  readonly damages: DamageList
  /** Absent: everything is read through the database, in this thread. */
  readonly pool: VerifyPool | undefined
}

const NO_ORPHANS: readonly number[] = []
const NO_PERIODS = { from: 0, to: -1 } as const

/**
 * Looks at every value of `bodies` in a range of periods.
 *
 * With a pool, threads hash tables, and this goes through the periods behind them: those that lie in one table alone and
 * are intact are settled by it. Of all others the database says which values there are, and tables what their bytes are;
 * what they do not say, and what they say is damaged, is read through the database.
 */
export class BodiesCheck {
  private readonly options: BodiesCheckOptions
  private readonly modules: BodiesCheckModules
  /** Whether the tables looked at hold all there is. */
  private isComplete = true
  private readonly rows = new TableRows()
  private readonly found = new TablePeriods()

  constructor(options: BodiesCheckOptions, modules: BodiesCheckModules) {
    this.options = options
    this.modules = modules
  }

  /** Periods ascending, some at a time; ends early when a table is damaged. */
  async *run(signal?: AbortSignal): AsyncGenerator<readonly CheckedPeriod[]> {
    const { from, to } = this.options
    const { pool } = this.modules
    yield* pool ? this.checkTables(pool, signal) : this.checkPeriods(from, to, signal)
  }

  private async *checkTables(pool: VerifyPool, signal?: AbortSignal): AsyncGenerator<readonly CheckedPeriod[]> {
    const { from, to, deep } = this.options
    const { damages, store } = this.modules
    const { bodies, identity } = store
    const places = await listTablePlaces(bodies)
    const tables = places.filter(({ periods }) => periods === undefined || periods.first <= to)
    const alone = findAlone(tables, { from, to })
    const range = bodyRange(from, to)
    const jobs = tables.map(({ path }, i) => {
      return { path, range, deep, network: identity.network, alone: alone[i] ?? NO_PERIODS }
    })
    let isSound = damages.listTables().length === 0
    let at = from
    let done = 0
    for await (const facts of pool.scan(jobs)) {
      signal?.throwIfAborted()
      const table = tables[done++]
      if (table && facts?.damage !== undefined) {
        if (!damages.addTable(bodies.name, basename(table.path), facts.damage)) isSound = false
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
      if (this.isComplete) yield* this.takeFound(next, signal)
      else yield* this.checkPeriods(at, Math.min(next - 1, to), signal)
      at = next
    }
    if (!isSound) return
    if (this.isComplete) yield* this.takeFound(to + 1, signal)
    else if (at <= to) yield* this.checkPeriods(at, to, signal)
  }

  private async *takeFound(limit: Period, signal?: AbortSignal): AsyncGenerator<readonly CheckedPeriod[]> {
    let intact: CheckedPeriod[] = []
    for (const found of this.found.takeBelow(limit)) {
      if ('root' in found) {
        const { period, valueBytes, heldChunks: count, low, high } = found
        intact.push({ period, valueBytes, wanted: { facts: found, places: { count, low, high } }, orphans: NO_ORPHANS })
        continue
      }
      yield intact
      intact = []
      yield* this.checkPeriods(found.from, found.to, signal)
    }
    yield intact
  }

  /** Past an unreadable file of LevelDB it goes on with the next period of the index. */
  private async *checkPeriods(
    from: Period,
    to: Period,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly CheckedPeriod[]> {
    const { damages, store } = this.modules
    let at: Period | undefined = from
    while (at !== undefined && at <= to) {
      const start: Period = at
      let last: Period | undefined
      try {
        for await (const page of store.listPlacePages(start, to)) {
          for (const places of page) {
            signal?.throwIfAborted()
            last = places.period
            yield [this.note(await this.checkPeriod(places))]
          }
        }
        return
      } catch (error) {
        if (!isArchiveError(error, 'STORE_READ_FAILED')) throw error
        // The period where the walk broke off: its keys may be readable one by one.
        const period: Period = last === undefined ? start : last + 1
        damages.all.push({ period, what: 'database files', code: error.code, repairable: false })
        at = await this.nextIndexed(period)
        if (at === start && last === undefined) at = await this.nextIndexed(period + 1)
      }
    }
  }

  private note({ period, valueBytes, findings, orphans, manifest, holding }: PeriodFindings): CheckedPeriod {
    for (const { what, code } of findings) this.modules.damages.add(period, what, code)
    if (!manifest) return { period, valueBytes, orphans }
    const wanted = { facts: computeSummaryFacts(manifest, holding), places: sumPlaces(manifest, holding) }
    return { period, valueBytes, orphans, wanted }
  }

  private checkPeriod(job: PeriodPlaces): PeriodFindings | Promise<PeriodFindings> {
    const known = this.rows.take(job.period)
    if (this.isComplete && known.size === job.places.length && job.places.every((n) => known.has(n))) {
      const findings = verifyPeriod(job, this.modules.store.identity.network, (n) => known.get(n))
      const isCut = this.options.deep && known.get(SEALS)?.sealsFit === undefined
      const isBodyHere = findings.holding?.hasSeals !== false && !findings.holding?.missingChunks.length
      if (findings.findings.length === 0) return isCut && isBodyHere ? this.checkSeals(job, findings) : findings
    }
    return this.readPeriod(job)
  }

  /** What comes or goes while it is read looks like damage: then it is read once more. */
  private async readPeriod(job: PeriodPlaces): Promise<PeriodFindings> {
    const found = await this.readPlaces(job)
    if (found.findings.length === 0) return found
    const again = await this.modules.store.listPlacesOf(job.period).catch((error: unknown) => {
      // Keys that cannot be read now were read a moment ago: what was found stands.
      if (isArchiveError(error, 'STORE_READ_FAILED')) return job.places
      throw error
    })
    if (again.length === 0) return (await this.modules.store.isGone(job.period)) ? nothingFound(job.period) : found
    const isSame = again.length === job.places.length && again.every((n, i) => n === job.places[i])
    return isSame ? found : this.readPlaces({ period: job.period, places: again })
  }

  /** Of a period that lies in two tables: its chunks are hashed, and held against SEALS here. */
  private async checkSeals({ period, places }: PeriodPlaces, sound: PeriodFindings): Promise<PeriodFindings> {
    const check = new SealsCheck()
    let sealsFit: boolean | undefined
    for (const n of places) {
      const sealed = await this.modules.store.bodies.get(encodeBodyKey(period, n))
      const value = sealed?.subarray(SEAL_BYTES)
      if (value && isChunkPlace(n)) check.takeChunk(n, value)
      if (value && n === SEALS) sealsFit = check.fits(value)
    }
    return sealsFit === false ? { ...sound, findings: [{ what: 'seals', code: 'CORE_SEALS_INVALID' }] } : sound
  }

  private async readPlaces(job: PeriodPlaces): Promise<PeriodFindings> {
    const { bodies, identity } = this.modules.store
    const facts = new Map<number, ValueFact>()
    const seals = this.options.deep ? new SealsCheck() : undefined
    for (const n of job.places) {
      try {
        const sealed = await bodies.get(encodeBodyKey(job.period, n))
        if (sealed) facts.set(n, computeValueFact(n, sealed, this.options.deep, seals))
      } catch {
        facts.set(n, { state: 'unreadable', sealedBytes: 0 })
      }
    }
    return verifyPeriod(job, identity.network, (n) => facts.get(n))
  }

  private async nextIndexed(period: Period): Promise<Period | undefined> {
    const range = periodRange('periodSummaries', period, this.options.to)
    const key = await this.modules.store.index.firstKey(range).catch(() => undefined)
    return key && decodePeriod(key, 1)
  }
}

/** Of a period that was deleted since its keys were read. */
function nothingFound(period: Period): PeriodFindings {
  return { period, findings: [], orphans: NO_ORPHANS, valueBytes: 0 }
}
