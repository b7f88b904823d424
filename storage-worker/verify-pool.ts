import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { scanBodies, type TableFacts, type TableJob } from './hash-worker.ts'

/** Tables under way per thread: one is hashed, one waits. */
const JOBS_PER_THREAD = 2

/** Hashes tables of `bodies` on all cores. */
export class VerifyPool {
  readonly threads: number
  private readonly pool: Piscina | undefined

  /** @param threads - 0: in this thread */
  constructor(threads = availableParallelism()) {
    this.threads = threads
    const worker = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js'
    if (threads === 0) return
    this.pool = new Piscina({
      filename: new URL(worker, import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: JOBS_PER_THREAD,
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
    })
  }

  /** What the tables hold, in the order of `jobs`; `undefined` for those that are no more. */
  async *scan(jobs: readonly TableJob[]): AsyncGenerator<TableFacts | undefined> {
    const running: Promise<TableFacts | undefined>[] = []
    let next = 0
    for (let i = 0; i < jobs.length; i++) {
      for (; next < jobs.length && running.length < 1 + this.threads * JOBS_PER_THREAD; next++) {
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
