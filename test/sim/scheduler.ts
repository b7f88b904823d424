import { createHash } from 'node:crypto'
import { RealTime } from './real-time.ts'

/** Events of one step of so long happen together: a turn of the event loop costs more than most of them. */
const STEP_MS = 10

/** Something that happens at its time, unless it is cancelled. */
export interface SimTimer {
  isCancelled: boolean
}

interface Event extends SimTimer {
  readonly atMs: number
  readonly sequence: number
  readonly work: () => void
}

/**
 * Virtual time: events in the order of their times, those of equal time in the order in which they were planned. Between
 * two times everything that was set off runs to where it waits, so that the same events give the same run.
 */
export class Scheduler {
  private readonly realTime = new RealTime()
  private readonly events: Event[] = []
  private readonly hash = createHash('sha256')
  private readonly failures: unknown[] = []
  private sequence = 0
  private timeMs = 0
  private happened = 0
  /** Told of each line of the trace. */
  onTrace: ((atMs: number, line: string) => void) | undefined

  get nowMs(): number {
    return this.timeMs
  }

  /** Events that happened. */
  get eventCount(): number {
    return this.happened
  }

  /** At the end of this step at the earliest. */
  after(delayMs: number, work: () => void): SimTimer {
    const steps = Math.max(1, Math.ceil(delayMs / STEP_MS))
    const event = { atMs: this.timeMs + steps * STEP_MS, sequence: this.sequence++, work, isCancelled: false }
    this.push(event)
    return event
  }

  /** What must never happen: the run ends with it. */
  fail(error: unknown): void {
    this.failures.push(error)
  }

  /** One line of what happened; two runs of the same seed have the same lines. */
  trace(line: string): void {
    this.hash.update(`${this.timeMs} ${line}\n`)
    this.onTrace?.(this.timeMs, line)
  }

  /** 16 hex digits over the trace so far. */
  get traceHash(): string {
    return this.hash.copy().digest('hex').slice(0, 16)
  }

  /** @throws the first failure */
  async run(untilMs: number): Promise<void> {
    const restore = this.realTime.install()
    const { stackTraceLimit } = Error
    // Most errors are refusals that are expected, and a stack takes longer to write down than they do to handle.
    Error.stackTraceLimit = 3
    try {
      await this.settle()
      for (let next = this.events[0]; next && next.atMs <= untilMs; next = this.events[0]) {
        this.timeMs = next.atMs
        while (this.events[0]?.atMs === this.timeMs) {
          const event = this.pop()
          if (event.isCancelled) continue
          this.happened++
          event.work()
        }
        await this.settle()
      }
      this.timeMs = Math.max(this.timeMs, untilMs)
    } finally {
      Error.stackTraceLimit = stackTraceLimit
      restore()
    }
  }

  private async settle(): Promise<void> {
    await this.realTime.settle()
    if (this.failures.length > 0) throw this.failures[0]
  }

  private push(event: Event): void {
    const { events } = this
    let at = events.length
    events.push(event)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = events[parent]
      if (!above || isBefore(above, event)) break
      events[at] = above
      at = parent
    }
    events[at] = event
  }

  private pop(): Event {
    const { events } = this
    const first = events[0]
    const last = events.pop()
    if (!first || !last) throw new Error('no event is left')
    if (first === last) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const [left, right] = [events[child], events[child + 1]]
      if (!left) break
      if (right && isBefore(right, left)) child++
      const below = events[child]
      if (!below || isBefore(last, below)) break
      events[at] = below
      at = child
    }
    events[at] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
