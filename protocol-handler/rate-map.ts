import { type Clock, TokenBucket } from '../core/index.ts'
import type { Verdict } from './verdict.ts'

interface RateBounds {
  readonly perSecond: number
  readonly atOnce: number
  /** So many past it are ignored before they are rejected. */
  readonly ignored: number
  readonly keys: number
}

interface Rate {
  readonly taken: TokenBucket
  /** Of those past it. */
  readonly ignored: TokenBucket
}

/** A rate for each key; past the bound of keys who was heard of longest ago begins anew. */
export class RateMap {
  private readonly bounds: RateBounds
  private readonly clock: Clock
  private readonly rates = new Map<string, Rate>()

  constructor(bounds: RateBounds, clock: Clock) {
    this.bounds = bounds
    this.clock = clock
  }

  take(key: string, count = 1): Verdict {
    const { taken, ignored } = this.touch(key)
    if (taken.take(count)) return 'accept'
    return ignored.take(count) ? 'ignore' : 'reject'
  }

  giveBack(key: string): void {
    this.charge(key, -1)
  }

  /** In any case; the debt keeps the next ones out. */
  charge(key: string, count: number): void {
    this.touch(key).taken.takeOnCredit(count)
  }

  private touch(key: string): Rate {
    const { perSecond, atOnce, ignored, keys } = this.bounds
    const rate = this.rates.get(key) ?? {
      taken: new TokenBucket({ perSecond, burst: atOnce }, this.clock),
      ignored: new TokenBucket({ perSecond, burst: ignored }, this.clock),
    }
    this.rates.delete(key)
    this.rates.set(key, rate)
    const [oldest] = this.rates.keys()
    if (this.rates.size > keys && oldest !== undefined) this.rates.delete(oldest)
    return rate
  }
}
