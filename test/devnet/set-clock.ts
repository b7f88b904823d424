import type { Clock } from '../../core/index.ts'

/** Stands where a test sets it; sleeping passes time and nothing else. */
export class SetClock implements Clock {
  timeMs = 1_000_000
  /** By how much the wall clock was set forward (or back) since. */
  jumpMs = 0

  nowMs(): number {
    return this.timeMs + this.jumpMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return
    this.timeMs += durationMs
    await new Promise((resolve) => setImmediate(resolve))
  }
}
