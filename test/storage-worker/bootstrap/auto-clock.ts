import type { Clock } from '../../../core/index.ts'

/** What is in flight takes no time, but some turns of the event loop. */
const TURNS = 20

/** Time passes when all that is left to do is to wait: then it is at once when the first of those who sleep wants to wake. */
export class AutoClock implements Clock {
  timeMs = 1_000_000
  private readonly sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>()
  private isTicking = false

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
      if (!this.isTicking) void this.tick()
    })
  }

  private async tick(): Promise<void> {
    this.isTicking = true
    while (this.sleepers.size > 0) {
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
      const untilMs = Math.min(...[...this.sleepers].map((sleeper) => sleeper.untilMs))
      if (untilMs < Number.POSITIVE_INFINITY) this.timeMs = Math.max(this.timeMs, untilMs)
      for (const sleeper of [...this.sleepers]) if (sleeper.untilMs <= this.timeMs) sleeper.wake()
    }
    this.isTicking = false
  }
}
