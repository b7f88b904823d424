import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../core/index.ts'

/** Time that goes from sleeper to sleeper, as fast as the machine is. */
export class VirtualClock implements Clock {
  timeMs = 0
  private sleepers: { readonly atMs: number; readonly wake: () => void }[] = []

  nowMs(): number {
    return this.timeMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.sleepers.push({ atMs: this.timeMs + durationMs, wake })
      signal?.addEventListener('abort', wake)
    })
  }

  /** Until nobody sleeps who wakes by `atMs`; it is `atMs` then. */
  async run(atMs: number): Promise<void> {
    for (;;) {
      await setImmediate()
      this.sleepers.sort((a, b) => a.atMs - b.atMs)
      const [next] = this.sleepers
      if (!next || next.atMs > atMs) break
      this.sleepers.shift()
      this.timeMs = Math.max(this.timeMs, next.atMs)
      next.wake()
    }
    this.timeMs = Math.max(this.timeMs, atMs)
  }
}
