import type { Clock } from '../../core/index.ts'

/** Stands where a test sets it; sleeping passes time and nothing else. */
export class SetClock implements Clock {
  timeMs = 1_000_000

  nowMs(): number {
    return this.timeMs
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return
    this.timeMs += durationMs
    await new Promise((resolve) => setImmediate(resolve))
  }
}
