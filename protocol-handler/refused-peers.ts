import type { Clock } from '../core/index.ts'
import { MAX_REFUSED_PEERS, REFUSED_MS } from './limits.ts'

/** Whom we neither dial nor let in for a while, since it is not of our network. No ban: it did nothing wrong. */
export class RefusedPeers {
  private readonly clock: Clock
  /** By PeerId text: until when, by the monotonic clock; the earliest first. */
  private readonly untilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  refuse(peer: string): void {
    this.untilMs.delete(peer)
    this.untilMs.set(peer, this.clock.monotonicMs() + REFUSED_MS)
    const [oldest] = this.untilMs.keys()
    if (this.untilMs.size > MAX_REFUSED_PEERS && oldest !== undefined) this.untilMs.delete(oldest)
  }

  isRefused(peer: string): boolean {
    const untilMs = this.untilMs.get(peer)
    return untilMs !== undefined && this.clock.monotonicMs() < untilMs
  }
}
