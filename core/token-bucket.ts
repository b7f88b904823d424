import type { Clock } from './ports.ts'

/** A rate with a burst: tokens come steadily, at most `burst` are kept. */
export class TokenBucket {
  private readonly clock: Clock
  private readonly perSecond: number
  private readonly burst: number
  private tokens: number
  private atMs: number

  constructor(options: { readonly perSecond: number; readonly burst: number }, clock: Clock) {
    this.clock = clock
    this.perSecond = options.perSecond
    this.burst = options.burst
    this.tokens = options.burst
    this.atMs = clock.monotonicMs()
  }

  /** Takes `count` tokens when they are there. @returns whether they were */
  take(count = 1): boolean {
    this.refill()
    if (this.tokens < count) return false
    this.tokens -= count
    return true
  }

  /** Takes them in any case; the debt keeps others waiting. @returns milliseconds until there is no debt */
  takeOnCredit(count: number): number {
    this.refill()
    this.tokens -= count
    return this.tokens >= 0 ? 0 : Math.ceil((-this.tokens / this.perSecond) * 1_000)
  }

  private refill(): void {
    const nowMs = this.clock.monotonicMs()
    const elapsedMs = nowMs - this.atMs
    this.tokens = Math.min(this.burst, this.tokens + (elapsedMs / 1_000) * this.perSecond)
    this.atMs = nowMs
  }
}
