import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import type { GuardedLevel } from './guarded-level.ts'
import type { HashWorkerJob } from './hash-worker.ts'
import { encodeBodyKey } from './keyspace.ts'
import { type PeriodFindings, type PeriodJob, type VerifyPeriodOptions, verifyPeriod } from './verify-period.ts'

/** Verifies periods of one database on all cores, or in this thread when it is in memory. */
export class VerifyPool {
  readonly threads: number
  private readonly bodies: GuardedLevel
  private readonly options: VerifyPeriodOptions
  private readonly unshare: () => void
  private pool: Piscina | undefined

  constructor(bodies: GuardedLevel, options: VerifyPeriodOptions & { readonly threads?: number }) {
    this.bodies = bodies
    this.options = { network: options.network, deep: options.deep }
    this.threads = bodies.location === undefined ? 0 : (options.threads ?? availableParallelism())
    this.unshare = bodies.share(() => this.release())
  }

  async verify(periods: readonly PeriodJob[]): Promise<PeriodFindings[]> {
    const { location } = this.bodies
    if (this.threads === 0 || location === undefined) return this.verifyHere(periods)
    this.pool ??= this.start()
    const { pool } = this
    try {
      const job: HashWorkerJob = { location, periods, options: this.options }
      return await pool.run(job, { name: 'verifyPeriods' })
    } catch (error) {
      // Threads were ended so that the database could be reopened.
      if (this.pool !== pool) return this.verifyHere(periods)
      throw error
    }
  }

  /** One period at a time, read by the main thread. */
  async verifyHere(periods: readonly PeriodJob[]): Promise<PeriodFindings[]> {
    const all: PeriodFindings[] = []
    for (const period of periods) {
      const values = new Map<number, Uint8Array>()
      const failed = new Map<number, unknown>()
      for (const n of period.places) {
        try {
          const value = await this.bodies.get(encodeBodyKey(period.period, n))
          if (value) values.set(n, value)
        } catch (error) {
          failed.set(n, error)
        }
      }
      all.push(
        verifyPeriod(period, this.options, (n) => {
          if (failed.has(n)) throw failed.get(n)
          return values.get(n)
        }),
      )
    }
    return all
  }

  async close(): Promise<void> {
    this.unshare()
    await this.release()
  }

  private start(): Piscina {
    const worker = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js'
    return new Piscina({
      filename: new URL(worker, import.meta.url).href,
      minThreads: this.threads,
      maxThreads: this.threads,
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
    })
  }

  private async release(): Promise<void> {
    const { pool } = this
    this.pool = undefined
    await pool?.destroy()
  }
}
