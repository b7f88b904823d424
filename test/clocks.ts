import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../core/index.ts'
import { settle } from './turns.ts'

interface Sleeper {
  readonly untilMs: number
  readonly wake: () => void
}

/** Time that stands; a sleeper wakes when its time has come, or at once when its signal aborts. */
abstract class SleepersClock implements Clock {
  timeMs: number
  private readonly sleepers = new Set<Sleeper>()

  constructor(timeMs: number) {
    this.timeMs = timeMs
  }

  nowMs(): number {
    return this.timeMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = {
        untilMs: this.timeMs + durationMs,
        wake: () => {
          this.sleepers.delete(sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  /** Who wakes first; of several who went to sleep first. */
  protected get first(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.sleepers) if (!first || sleeper.untilMs < first.untilMs) first = sleeper
    return first
  }

  protected wakeDue(): void {
    for (const sleeper of [...this.sleepers]) if (sleeper.untilMs <= this.timeMs) sleeper.wake()
  }
}

/** Time that a test moves on. */
export class ManualClock extends SleepersClock {
  private jumpMs = 0

  override nowMs(): number {
    return this.timeMs + this.jumpMs
  }

  /** The wall clock is set forward (or back); no time passes. */
  setWall(jumpMs: number): void {
    this.jumpMs += jumpMs
  }

  advance(durationMs: number): void {
    this.timeMs += durationMs
    this.wakeDue()
  }
}

/** Time that a test moves on, where those who only give way to others do not sleep. */
export class StillClock extends ManualClock {
  /** Sleeps of no time: somebody gave way. */
  yields = 0

  constructor() {
    super(10_000_000)
  }

  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (durationMs > 0) return super.sleep(durationMs, signal)
    this.yields++
  }
}

/** Time passes when all that is left to do is to wait: then it is at once when the first of those who sleep wants to wake. */
export class AutoClock extends SleepersClock {
  private isTicking = false

  constructor() {
    super(1_000_000)
  }

  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const slept = super.sleep(durationMs, signal)
    if (!this.isTicking) void this.tick()
    return slept
  }

  private async tick(): Promise<void> {
    this.isTicking = true
    while (this.first) {
      // What is in flight takes no time, but some turns of the event loop.
      await settle(20)
      const untilMs = this.first?.untilMs ?? Number.POSITIVE_INFINITY
      if (untilMs < Number.POSITIVE_INFINITY) this.timeMs = Math.max(this.timeMs, untilMs)
      this.wakeDue()
    }
    this.isTicking = false
  }
}

/** Time that goes from sleeper to sleeper, as fast as the machine is. */
export class VirtualClock extends SleepersClock {
  constructor() {
    super(0)
  }

  /** Until nobody sleeps who wakes by `atMs`; it is `atMs` then. */
  async run(atMs: number): Promise<void> {
    for (;;) {
      await setImmediate()
      const { first } = this
      if (!first || first.untilMs > atMs) break
      this.timeMs = Math.max(this.timeMs, first.untilMs)
      first.wake()
    }
    this.timeMs = Math.max(this.timeMs, atMs)
  }
}
