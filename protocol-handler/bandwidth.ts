import { type Clock, TokenBucket } from '../core/index.ts'
import { FairQueue } from './fair-queue.ts'
import { CHALLENGE_SHARE, MAX_WAITING_BYTES, MAX_WAITING_SECONDS } from './limits.ts'
import { PRIORITIES, type Priority } from './work-queue.ts'

/** Seconds of the rate that go out at once after a silence. */
const BURST_SECONDS = 1
/** What we ask for ourselves: every second turn, however many others ask us. */
const OWN = 'own'
/** An answer comes within a round trip and the time that it takes to be read from a disk, or waits for its turn there. */
const RESERVED_MS = 2_000
/** What stays set aside for one that has not come: sixteen that are waited for are an answer of 1 MiB. */
const SILENT_BYTES = 65_536

interface Turn {
  readonly flow: string
  readonly bytes: number
  readonly begin: () => void
}

/**
 * What is sent to peers and taken from them in all, in bytes a second: most urgent first, among equals one answer of each
 * peer in turn. Challenges do not wait for the others; past CHALLENGE_SHARE of the rate they wait for each other.
 */
export class Bandwidth {
  private readonly clock: Clock
  private readonly bytesPerSecond: number
  private readonly all: TokenBucket
  private readonly challenges: TokenBucket
  private readonly queues: Record<Priority, FairQueue<Turn>> = {
    challenge: new FairQueue(),
    repair: new FairQueue(),
    read: new FairQueue(),
    backfill: new FairQueue(),
  }
  /** By flow, of all priorities. */
  private readonly waitingBytes = new Map<string, number>()
  private readonly stopping = new AbortController()
  private wakeAtMs = Number.POSITIVE_INFINITY
  private wasOwn = false

  constructor(options: { readonly bytesPerSecond: number }, clock: Clock) {
    const { bytesPerSecond } = options
    this.clock = clock
    this.bytesPerSecond = bytesPerSecond
    this.all = new TokenBucket({ perSecond: bytesPerSecond, burst: bytesPerSecond * BURST_SECONDS }, clock)
    const perSecond = bytesPerSecond * CHALLENGE_SHARE
    this.challenges = new TokenBucket({ perSecond, burst: perSecond * BURST_SECONDS }, clock)
  }

  /**
   * Resolves when it is the turn of these bytes; they are counted as sent then.
   *
   * @param peer whom they are for; undefined for what we ask for
   */
  take(priority: Priority, peer: string | undefined, bytes: number): Promise<void> {
    if (this.stopping.signal.aborted) return Promise.resolve()
    return new Promise((begin) => {
      const flow = peer ?? OWN
      this.queues[priority].add(flow, { flow, bytes, begin })
      this.waitingBytes.set(flow, (this.waitingBytes.get(flow) ?? 0) + bytes)
      this.next()
    })
  }

  /**
   * Sets room aside for an answer that we ask for, in its turn. How long it is shows when it is there; of what does not come
   * for two seconds most is given back, since a peer that is silent would keep a narrow line from all others.
   *
   * @returns to be called once, with the bytes that came
   */
  async reserve(priority: Priority, bytes: number): Promise<(takenBytes: number) => void> {
    await this.take(priority, undefined, bytes)
    const waiting = new AbortController()
    let reserved = bytes
    void this.clock.sleep(RESERVED_MS, AbortSignal.any([waiting.signal, this.stopping.signal])).then(() => {
      if (waiting.signal.aborted || this.stopping.signal.aborted) return
      const left = Math.min(reserved, SILENT_BYTES)
      this.spend(left - reserved)
      reserved = left
    })
    return (takenBytes) => {
      waiting.abort()
      this.spend(takenBytes - reserved)
      reserved = 0
    }
  }

  /** Counts what came or went without having waited; less than 0 gives back what was not used. */
  spend(bytes: number): void {
    this.all.takeOnCredit(bytes)
    if (bytes < 0) this.next()
  }

  /** Whether a peer has its share of what may wait: no more answers are made for it for now. */
  isBehind(peer: string): boolean {
    const bytes = this.waitingBytes.get(peer)
    if (bytes === undefined) return false
    return bytes > Math.min(MAX_WAITING_BYTES, MAX_WAITING_SECONDS * this.bytesPerSecond) / this.waitingBytes.size
  }

  /** Lets go all that waits. */
  stop(): void {
    this.stopping.abort()
    for (const priority of PRIORITIES) for (const { begin } of this.queues[priority].clear()) begin()
    this.waitingBytes.clear()
  }

  private next(): void {
    for (;;) {
      const { challenge, ...others } = this.queues
      const challengeWaitMs = challenge.length > 0 ? this.challenges.takeOnCredit(0) : Number.POSITIVE_INFINITY
      if (challengeWaitMs === 0) {
        this.challenges.takeOnCredit(this.begin(challenge))
        continue
      }
      const queue = [others.repair, others.read, others.backfill].find(({ length }) => length > 0)
      const waitMs = queue ? this.all.takeOnCredit(0) : Number.POSITIVE_INFINITY
      if (queue && waitMs === 0) {
        this.begin(queue)
        continue
      }
      this.wakeIn(Math.min(challengeWaitMs, waitMs))
      return
    }
  }

  /** @returns its bytes */
  private begin(queue: FairQueue<Turn>): number {
    const own = this.wasOwn ? undefined : queue.takeOf(OWN)
    const turn = own ?? queue.take()
    this.wasOwn = own !== undefined
    if (!turn) return 0
    const left = (this.waitingBytes.get(turn.flow) ?? 0) - turn.bytes
    if (left > 0) this.waitingBytes.set(turn.flow, left)
    else this.waitingBytes.delete(turn.flow)
    this.all.takeOnCredit(turn.bytes)
    turn.begin()
    return turn.bytes
  }

  private wakeIn(waitMs: number): void {
    if (!Number.isFinite(waitMs)) return
    const atMs = this.clock.monotonicMs() + waitMs
    if (this.wakeAtMs <= atMs) return
    this.wakeAtMs = atMs
    void this.clock.sleep(waitMs, this.stopping.signal).then(() => {
      if (this.wakeAtMs === atMs) this.wakeAtMs = Number.POSITIVE_INFINITY
      if (!this.stopping.signal.aborted) this.next()
    })
  }
}
