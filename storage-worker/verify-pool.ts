import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { scanBodies, type TableFacts, type TableJob } from './hash-worker.ts'
import { listTableFiles } from './table-file.ts'
import type { ThreadAnswer } from './verify-thread.ts'

/** Tables under way per thread: one is hashed, one waits. */
const JOBS_PER_THREAD = 2
/** Tables begun whose turn has not come, as a multiple of those under way. */
const TURNS_AHEAD = 4
/** Hashed in this thread before others would have started. */
const SMALL_BYTES = 16 * 1024 * 1024

/** Hashes tables of `bodies` on all cores. */
export class VerifyPool {
  private readonly size: number
  private threads: Thread[] = []
  private closing: Promise<unknown> | undefined

  constructor(threads = availableParallelism()) {
    this.size = threads
  }

  /** Starts threads when the tables in `folder` are worth it; without them all is done in this one. */
  startFor(folder: string): void {
    if (this.threads.length > 0 || sumSizes(folder) <= SMALL_BYTES) return
    this.threads = Array.from({ length: this.size }, () => new Thread())
  }

  /** What the tables hold, in the order of `jobs`; `undefined` for those that are no more. */
  async *scan(jobs: readonly TableJob[]): AsyncGenerator<TableFacts | undefined> {
    const results: Promise<TableFacts | undefined>[] = []
    const atOnce = Math.max(1, this.threads.length * JOBS_PER_THREAD)
    let next = 0
    let running = 0
    let isOver = false
    // Threads go on while a table that was begun earlier is not done: its turn keeps nobody waiting.
    const goOn = (): void => {
      while (!isOver && next < jobs.length && running < atOnce && results.length < atOnce * TURNS_AHEAD) {
        running++
        const result = this.run(jobs[next++]).finally(() => {
          running--
          goOn()
        })
        // It is awaited in order; until then a failure is not unhandled.
        result.catch(() => undefined)
        results.push(result)
      }
    }
    try {
      for (let i = 0; i < jobs.length; i++) {
        goOn()
        yield await results.shift()
      }
    } finally {
      isOver = true
    }
  }

  /** Ends the threads. Idempotent. */
  async close(): Promise<void> {
    this.closing ??= Promise.all(this.threads.map((thread) => thread.stop()))
    await this.closing
  }

  private async run(job: TableJob | undefined): Promise<TableFacts | undefined> {
    if (!job) return undefined
    const idlest = this.threads.toSorted((a, b) => a.waiting - b.waiting)[0]
    return idlest ? idlest.run(job) : scanBodies(job)
  }
}

interface Waiter {
  resolve(facts: TableFacts | undefined): void
  reject(error: unknown): void
}

/** Not piscina's: its threads take twice as long to start, and verifying a small archive is little more than that. */
class Thread {
  private readonly worker: Worker
  private readonly waiters: Waiter[] = []
  /** What ended it. */
  private end: Error | undefined

  constructor() {
    const file = import.meta.url.endsWith('.ts') ? './verify-thread.ts' : './verify-thread.js'
    this.worker = new Worker(new URL(file, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
    })
    this.worker.on('message', (answer: ThreadAnswer) => {
      const waiter = this.waiters.shift()
      if ('error' in answer) waiter?.reject(answer.error)
      else waiter?.resolve(answer.facts)
    })
    this.worker.on('error', (error) => this.fail(error))
    this.worker.on('exit', () => this.fail(new Error('a thread of verify ended')))
  }

  get waiting(): number {
    return this.waiters.length
  }

  run(job: TableJob): Promise<TableFacts | undefined> {
    return new Promise((resolve, reject) => {
      if (this.end) return reject(this.end)
      this.waiters.push({ resolve, reject })
      this.worker.postMessage(job)
    })
  }

  async stop(): Promise<void> {
    await this.worker.terminate()
  }

  private fail(error: Error): void {
    this.end ??= error
    for (const { reject } of this.waiters.splice(0)) reject(this.end)
  }
}

function sumSizes(folder: string): number {
  const sizes = listTableFiles(folder, undefined).map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
  return sizes.reduce((sum, stats) => sum + (stats?.size ?? 0), 0)
}
