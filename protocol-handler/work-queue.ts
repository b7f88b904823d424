import { ArchiveError, type Clock, TokenBucket } from '../core/index.ts'
import { FairQueue } from './fair-queue.ts'
import { CHALLENGE_SHARE } from './limits.ts'

/** What is served first when not all can be: a challenge has a deadline on chain, a repair keeps data alive. */
export const PRIORITIES = ['challenge', 'repair', 'read', 'backfill'] as const
export type Priority = (typeof PRIORITIES)[number]

/** A burst of work as long as it may be without being felt elsewhere. */
const BURST_MS = 250

const [, ...OTHERS] = PRIORITIES

/** Those that may take half of the places only: a work cannot be interrupted, and what is urgent shall find one free. */
const PATIENT: ReadonlySet<Priority> = new Set(['read', 'backfill'])

interface Waiting {
  readonly run: () => Promise<void>
  readonly drop: (error: ArchiveError) => void
}

export interface WorkQueueOptions {
  readonly concurrency: number
  readonly capacity: number
  /** Of the time, 0 to 1: what all works together may take; the rest is for following the chain. Without it: all. */
  readonly timeShare?: number
}

/**
 * Runs at most `concurrency` works at a time, most urgent first, and among equals one of each peer in turn; more than
 * `capacity` waiting are refused.
 *
 * Challenges are first in CHALLENGE_SHARE of the time and may be as much of what waits: whoever floods us with them does not
 * end the rest. Without a clock they always are first.
 */
export class WorkQueue {
  private readonly options: WorkQueueOptions
  private readonly clock: Clock | undefined
  private readonly budget: TokenBucket | undefined
  /** Of the time, for challenges while others wait. */
  private readonly challenges: TokenBucket | undefined
  private readonly waiting: Record<Priority, FairQueue<Waiting>> = {
    challenge: new FairQueue(),
    repair: new FairQueue(),
    read: new FairQueue(),
    backfill: new FairQueue(),
  }
  private running = 0
  private patientRunning = 0
  private isResting = false
  private readonly stopping = new AbortController()
  private idle: (() => void)[] = []

  /** @param clock needed for a share of the time */
  constructor(options: WorkQueueOptions, clock?: Clock) {
    this.options = options
    this.clock = clock
    const { timeShare } = options
    if (clock && timeShare !== undefined) {
      this.budget = new TokenBucket({ perSecond: timeShare * 1_000, burst: BURST_MS }, clock)
      const perSecond = timeShare * 1_000 * CHALLENGE_SHARE
      this.challenges = new TokenBucket({ perSecond, burst: BURST_MS * CHALLENGE_SHARE }, clock)
    }
  }

  /** Works that wait. */
  get length(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.waiting[priority].length, 0)
  }

  /**
   * Runs `work` when its turn comes.
   *
   * A full queue drops the newest of what is less urgent, else of a peer that has more waiting than this one, else it
   * refuses.
   *
   * @param peer for whom it is
   * @throws ArchiveError PROTOCOL_QUEUE_FULL, and what `work` throws
   */
  add<T>(priority: Priority, work: () => Promise<T>, peer = ''): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.stopping.signal.aborted || !(this.hasRoom(priority) || this.makeRoom(priority, peer))) {
        reject(full(priority))
        return
      }
      this.waiting[priority].add(peer, { run: () => work().then(resolve, reject), drop: reject })
      this.next()
    })
  }

  /** Refuses what waits and what comes, and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.stopping.abort()
    for (const priority of PRIORITIES) {
      for (const { drop } of this.waiting[priority].clear()) drop(full(priority))
    }
    if (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  private next(): void {
    while (this.running < this.options.concurrency) {
      const priority = this.pick()
      if (!priority) return
      const restMs = this.budget?.takeOnCredit(0) ?? 0
      if (restMs > 0) {
        this.rest(restMs)
        return
      }
      const work = this.waiting[priority].take()
      if (work) void this.run(work, priority)
    }
  }

  private pick(): Priority | undefined {
    const other = this.findOther()
    if (this.waiting.challenge.length === 0) return other
    const isPastShare = (this.challenges?.takeOnCredit(0) ?? 0) > 0
    return isPastShare && other ? other : 'challenge'
  }

  /** The most urgent that waits beside challenges and has a place. */
  private findOther(): Priority | undefined {
    const hasPatientPlace = this.patientRunning < Math.ceil(this.options.concurrency / 2)
    return OTHERS.find((name) => this.waiting[name].length > 0 && (hasPatientPlace || !PATIENT.has(name)))
  }

  private async run(work: Waiting, priority: Priority): Promise<void> {
    const isPatient = PATIENT.has(priority)
    this.running++
    if (isPatient) this.patientRunning++
    const atOnce = this.running
    const startedMs = this.clock?.monotonicMs() ?? 0
    await work.run()
    // Works at the same time share the time that they take.
    const takenMs = ((this.clock?.monotonicMs() ?? 0) - startedMs) / atOnce
    this.budget?.takeOnCredit(takenMs)
    this.running--
    if (isPatient) this.patientRunning--
    if (priority === 'challenge' && this.findOther()) this.challenges?.takeOnCredit(takenMs)
    this.next()
    if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
  }

  private rest(restMs: number): void {
    if (this.isResting || !this.clock) return
    this.isResting = true
    void this.clock.sleep(restMs, this.stopping.signal).then(() => {
      this.isResting = false
      this.next()
    })
  }

  private hasRoom(priority: Priority): boolean {
    return this.length < this.options.capacity && this.hasShare(priority)
  }

  private hasShare(priority: Priority): boolean {
    const share = priority === 'challenge' ? CHALLENGE_SHARE : 1
    return this.waiting[priority].length < this.options.capacity * share
  }

  private makeRoom(forPriority: Priority, peer: string): boolean {
    const lessUrgent = PRIORITIES.slice(PRIORITIES.indexOf(forPriority) + 1).reverse()
    for (const priority of this.hasShare(forPriority) ? lessUrgent : []) {
      const dropped = this.waiting[priority].dropNewest()
      dropped?.drop(full(priority))
      if (dropped) return true
    }
    const equals = this.waiting[forPriority]
    const dropped = equals.dropNewest(equals.countOf(peer) + 1)
    dropped?.drop(full(forPriority))
    return dropped !== undefined
  }
}

function full(priority: Priority): ArchiveError {
  return new ArchiveError('PROTOCOL_QUEUE_FULL', `too much is to be done for a ${priority}`, { priority })
}
