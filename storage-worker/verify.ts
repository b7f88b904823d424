import type { Period } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { LAST_PERIOD } from './keyspace.ts'
import { findDamagedTables } from './table-file.ts'
import { BodiesCheck, type CheckedPeriod } from './verify-bodies.ts'
import { IndexCheck } from './verify-index.ts'
import { VerifyPool } from './verify-pool.ts'
import { confirmRepairs, nameLostResults, repairPeriods } from './verify-repair.ts'
import { type Damage, DamageList, type VerifyOptions, type VerifyProgress, type VerifyReport } from './verify-report.ts'
import { sweepSpool } from './verify-spool.ts'

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
  const { location } = store.bodies
  const pool = location !== undefined && options.threads !== 0 ? new VerifyPool(options.threads) : undefined
  try {
    // They start while tables are listed.
    if (location !== undefined) pool?.startFor(location)
    return await new VerifyRun(store, options, onProgress).verify(pool, signal)
  } finally {
    await pool?.close()
  }
}

class VerifyRun {
  private readonly store: LevelChunkStore
  private readonly options: VerifyOptions
  private readonly onProgress: (progress: VerifyProgress) => void
  private readonly range: { readonly from: Period; readonly to: Period }
  private readonly damages: DamageList
  private readonly orphans = new Map<Period, readonly number[]>()
  private readonly gaps: { from: Period; to: Period }[] = []
  private lastVisible: Period | undefined
  private periods = 0
  private chunks = 0
  private bytes = 0

  constructor(
    store: LevelChunkStore,
    options: VerifyOptions,
    onProgress: (progress: VerifyProgress) => void = () => undefined,
  ) {
    this.store = store
    this.options = options
    this.onProgress = onProgress
    this.range = { from: options.from ?? 0, to: Math.min(options.to ?? LAST_PERIOD, LAST_PERIOD) }
    this.damages = new DamageList(options.refetchPeriod !== undefined)
  }

  async verify(pool: VerifyPool | undefined, signal?: AbortSignal): Promise<VerifyReport> {
    this.findDamagedTables(this.store.index)
    if (!pool) this.findDamagedTables(this.store.bodies)
    return this.verifyValues(pool, signal)
  }

  /** Without a look at tables but what the threads of `pool` do. */
  async verifyValues(pool?: VerifyPool, signal?: AbortSignal): Promise<VerifyReport> {
    const { store, range, damages, options } = this
    const repair = options.repair ?? false
    const index = new IndexCheck(range, { store, damages })
    // With threads the tables of bodies are looked at in any case: all that are damaged are to be named.
    if (pool || damages.listTables().length === 0) {
      const bodies = new BodiesCheck({ ...range, deep: options.deep ?? false }, { store, damages, pool })
      for await (const page of bodies.run(signal)) {
        for (const period of page) this.take(period, index)
        await index.look()
      }
    }
    // They end while the index is looked at.
    void pool?.close()
    const tables = damages.listTables()
    if (tables.length > 0) return this.report(tables)
    await index.finish()
    const isWhole = options.from === undefined && options.to === undefined
    if (isWhole) damages.all.push(...(await sweepSpool(store.index, repair)))
    return this.report(repair ? await this.repair(signal) : damages.all)
  }

  private findDamagedTables(level: GuardedLevel): void {
    if (level.location === undefined) return
    const damaged = findDamagedTables(level.location, level.listTables(), true)
    for (const { name, reason } of damaged) this.damages.addTable(level.name, name, reason)
  }

  private take({ period, valueBytes, wanted, orphans }: CheckedPeriod, index: IndexCheck): void {
    this.bytes += valueBytes
    if (orphans.length > 0) this.orphans.set(period, orphans)
    if (wanted) {
      this.periods++
      this.chunks += wanted.places.count
      index.expect(wanted)
    }
    // A damaged period is no gap.
    const { lastVisible } = this
    if (lastVisible !== undefined && period > lastVisible + 1) this.gaps.push({ from: lastVisible + 1, to: period - 1 })
    this.lastVisible = period
    this.onProgress({ period, bytes: this.bytes })
  }

  private async repair(signal?: AbortSignal): Promise<Damage[]> {
    const { store, range, orphans, options } = this
    const job = { range, damages: this.damages.all, orphans }
    const lost = await repairPeriods(store, job, options.refetchPeriod, signal)
    const confirmed = await confirmRepairs(this.damages.all, async (period) => {
      const again = { from: period, to: period, deep: options.deep ?? false }
      const { damages, periods } = await new VerifyRun(store, again).verifyValues()
      if (damages.length > 0) return false
      return periods === 0 ? 'absent' : true
    })
    return nameLostResults(confirmed, lost)
  }

  private report(damages: readonly Damage[]): VerifyReport {
    const { periods, chunks, bytes, gaps } = this
    return { periods, chunks, bytes, gaps, damages: damages.toSorted((a, b) => (a.period ?? -1) - (b.period ?? -1)) }
  }
}
