import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { scanBodies, type TableFacts, type TableJob } from './hash-worker.ts'

/** Tables under way per thread: one is hashed, one waits. */
const JOBS_PER_THREAD = 2
/** Hashed in this thread before others have started. */
const SMALL_BYTES = 16 * 1024 * 1024

/** Hashes tables of `bodies` on all cores. */
export class VerifyPool {
  private readonly threads: number
  private pool: Piscina | undefined

  constructor(threads = availableParallelism()) {
    this.threads = threads
  }

  /** What the tables hold, in the order of `jobs`; `undefined` for those that are no more. */
  async *scan(jobs: readonly TableJob[]): AsyncGenerator<TableFacts | undefined> {
    if (sumSizes(jobs) > SMALL_BYTES) this.pool ??= startThreads(this.threads)
    const running: Promise<TableFacts | undefined>[] = []
    let next = 0
    for (let i = 0; i < jobs.length; i++) {
      for (; next < jobs.length && running.length < (this.pool ? this.threads * JOBS_PER_THREAD : 1); next++) {
        const result = this.run(jobs[next])
        // It is awaited in order; until then a failure is not unhandled.
        result.catch(() => undefined)
        running.push(result)
      }
      yield await running.shift()
    }
  }

  async close(): Promise<void> {
    await this.pool?.destroy()
  }

  private async run(job: TableJob | undefined): Promise<TableFacts | undefined> {
    if (!job) return undefined
    return this.pool ? this.pool.run(job, { name: 'scanBodies' }) : scanBodies(job)
  }
}

function startThreads(threads: number): Piscina {
  const worker = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js'
  return new Piscina({
    filename: new URL(worker, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
  })
}

function sumSizes(jobs: readonly TableJob[]): number {
  return jobs.reduce((sum, { path }) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
}
