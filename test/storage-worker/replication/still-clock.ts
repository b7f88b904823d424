import type { Clock } from '../../../core/index.ts'

/** Stands until it is advanced; who sleeps wakes when its time has come, or when it is told to. */
export class StillClock implements Clock {
  timeMs = 10_000_000
  /** Sleeps of no time: somebody gave way. */
  yields = 0
  private readonly sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>()

  nowMs(): number {
    return this.timeMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  advance(durationMs: number): void {
    this.timeMs += durationMs
    for (const sleeper of this.sleepers) if (sleeper.untilMs <= this.timeMs) sleeper.wake()
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (durationMs === 0) this.yields++
    if (durationMs === 0 || signal?.aborted) return
    await new Promise<void>((resolve) => {
      const sleeper = {
        untilMs: this.timeMs + durationMs,
        wake: () => {
          this.sleepers.delete(sleeper)
          resolve()
        },
      }
      this.sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
    })
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}
