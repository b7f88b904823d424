import { type Clock, TokenBucket } from '../core/index.ts'
import { MAX_ANSWERED_REFUSALS, MAX_BURST_SECONDS, MAX_IGNORED_REFUSALS, MAX_METERED_PEERS } from './limits.ts'

/** What one peer may ask for. */
export interface PeerShare {
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
  /** At least 36, which an honest peer has that asks for everything: four of each of the nine kinds. */
  readonly openStreams: number
}

/** How a request is met: served, answered with `busy`, not answered, or its stream is reset. */
export type Admission = 'serve' | 'busy' | 'ignore' | 'cut'

interface Use {
  readonly share: PeerShare
  readonly requests: TokenBucket
  readonly bytes: TokenBucket
  streams: number
  refusals: number
}

/** Rates of each peer, so that no stranger costs more than its share. */
export class PeerLimits {
  private readonly shareOf: (peer: string) => PeerShare
  private readonly clock: Clock
  private readonly uses = new Map<string, Use>()

  /** @param share of every peer, or of each; that may change at any time */
  constructor(share: PeerShare | ((peer: string) => PeerShare), clock: Clock) {
    this.shareOf = typeof share === 'function' ? share : () => share
    this.clock = clock
  }

  /** One more request of `peer`; what it is answered with is counted by `onCost`. */
  admit(peer: string): Admission {
    const use = this.touch(peer)
    // A peer that owes bytes waits: their number is known only afterwards.
    if (use.requests.take() && use.bytes.take(0)) {
      use.refusals = 0
      return 'serve'
    }
    use.refusals++
    if (use.refusals <= MAX_ANSWERED_REFUSALS) return 'busy'
    return use.refusals <= MAX_ANSWERED_REFUSALS + MAX_IGNORED_REFUSALS ? 'ignore' : 'cut'
  }

  /** Bytes that were sent to it, or read for it. */
  onCost(peer: string, bytes: number): void {
    this.touch(peer).bytes.takeOnCredit(bytes)
  }

  /** @returns false when the peer has as many streams as it may */
  openStream(peer: string): boolean {
    const use = this.touch(peer)
    if (use.streams >= use.share.openStreams) return false
    use.streams++
    return true
  }

  streamsOf(peer: string): number {
    return this.uses.get(peer)?.streams ?? 0
  }

  closeStream(peer: string): void {
    const use = this.uses.get(peer)
    if (use && use.streams > 0) use.streams--
  }

  private touch(peer: string): Use {
    const use = this.useOf(peer)
    this.uses.delete(peer)
    this.uses.set(peer, use)
    if (this.uses.size > MAX_METERED_PEERS) this.forgetOne()
    return use
  }

  private useOf(peer: string): Use {
    const share = this.shareOf(peer)
    const known = this.uses.get(peer)
    return known?.share === share ? known : this.begin(share, known?.streams ?? 0)
  }

  private begin(share: PeerShare, streams: number): Use {
    const { requestsPerSecond, bytesPerSecond } = share
    return {
      share,
      requests: new TokenBucket(
        { perSecond: requestsPerSecond, burst: requestsPerSecond * MAX_BURST_SECONDS },
        this.clock,
      ),
      bytes: new TokenBucket({ perSecond: bytesPerSecond, burst: bytesPerSecond * MAX_BURST_SECONDS }, this.clock),
      streams,
      refusals: 0,
    }
  }

  /** Whoever has a stream open is kept, or its streams would be counted from zero. */
  private forgetOne(): void {
    for (const [peer, { streams }] of this.uses) {
      if (streams > 0) continue
      this.uses.delete(peer)
      return
    }
  }
}
