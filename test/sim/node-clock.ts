import type { Clock } from '../../core/index.ts'
import type { Scheduler } from './scheduler.ts'

/** One run of a node, from its start to its stop or crash: what belongs to it does nothing any more when it is over. */
export interface Life {
  isOver: boolean
}

/** What a promise of a crashed process does. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

/** The wall clock at the beginning of a simulation, in period 110 of the chain. */
const EPOCH_MS = 1_800_000_000_000 + 110 * 16_000

/** The clock of one run of a node: its wall clock may be wrong and be set, its quartz may go too fast or too slow. */
export class NodeClock implements Clock {
  /** By how much the wall clock is wrong. */
  skewMs: number
  private readonly scheduler: Scheduler
  private readonly life: Life
  private readonly rate: number

  /** @param options.rate seconds that it counts in one */
  constructor(
    options: { readonly skewMs: number; readonly rate: number },
    modules: { readonly scheduler: Scheduler; readonly life: Life },
  ) {
    this.skewMs = options.skewMs
    this.rate = options.rate
    this.scheduler = modules.scheduler
    this.life = modules.life
  }

  nowMs(): number {
    return Math.floor(EPOCH_MS + this.monotonicMs() + this.skewMs)
  }

  monotonicMs(): number {
    return this.scheduler.nowMs * this.rate
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (this.life.isOver) return never()
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const onAbort = (): void => {
        timer.isCancelled = true
        resolve()
      }
      const timer = this.scheduler.after(durationMs / this.rate, () => {
        signal?.removeEventListener('abort', onAbort)
        if (!this.life.isOver) resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}
