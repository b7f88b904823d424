import { ArchiveError } from '../core/index.ts'

/** What is served first when not all can be: a challenge has a deadline on chain, a repair keeps data alive. */
export const PRIORITIES = ['challenge', 'repair', 'read', 'backfill'] as const
export type Priority = (typeof PRIORITIES)[number]

interface Waiting {
  readonly run: () => Promise<void>
  readonly drop: (error: ArchiveError) => void
}

/** Runs at most `concurrency` works at a time, most urgent first; more than `capacity` waiting are refused. */
export class WorkQueue {
  private readonly concurrency: number
  private readonly capacity: number
  private readonly waiting: Record<Priority, Waiting[]> = { challenge: [], repair: [], read: [], backfill: [] }
  private running = 0
  private stopped = false
  private idle: (() => void)[] = []

  constructor(options: { readonly concurrency: number; readonly capacity: number }) {
    this.concurrency = options.concurrency
    this.capacity = options.capacity
  }

  /** Works that wait. */
  get length(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.waiting[priority].length, 0)
  }

  /**
   * Runs `work` when its turn comes.
   *
   * A full queue drops the newest of what is less urgent, else refuses.
   *
   * @throws ArchiveError PROTOCOL_QUEUE_FULL, and what `work` throws
   */
  add<T>(priority: Priority, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.stopped || (this.length >= this.capacity && !this.dropLessUrgent(priority))) {
        reject(full(priority))
        return
      }
      this.waiting[priority].push({ run: () => work().then(resolve, reject), drop: reject })
      this.next()
    })
  }

  /** Refuses what waits and what comes, and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.stopped = true
    for (const priority of PRIORITIES) {
      for (const { drop } of this.waiting[priority].splice(0)) drop(full(priority))
    }
    if (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  private next(): void {
    while (this.running < this.concurrency) {
      const priority = PRIORITIES.find((name) => this.waiting[name].length > 0)
      const work = priority && this.waiting[priority].shift()
      if (!work) return
      this.running++
      void work.run().finally(() => {
        this.running--
        this.next()
        if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
      })
    }
  }

  private dropLessUrgent(than: Priority): boolean {
    const lessUrgent = PRIORITIES.slice(PRIORITIES.indexOf(than) + 1).reverse()
    const priority = lessUrgent.find((name) => this.waiting[name].length > 0)
    const dropped = priority && this.waiting[priority].pop()
    if (!dropped) return false
    dropped.drop(full(priority))
    return true
  }
}

function full(priority: Priority): ArchiveError {
  return new ArchiveError('PROTOCOL_QUEUE_FULL', `too much is to be done for a ${priority}`, { priority })
}
