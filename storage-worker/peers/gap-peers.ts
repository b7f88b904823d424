import type { Clock } from '../../core/index.ts'
import { PeerRests } from './peer-rests.ts'

/** Far more than are connected; past it the one of which nothing was heard for longest is forgotten. */
const MAX_PEERS = 1_000

interface Standing {
  readonly hasGiven: boolean
  /** Since it last gave something in time. */
  readonly misses: number
}

/**
 * Which peers to ask first: those that gave something, then those that the registry knows, then strangers, and last those
 * that were slow or gave nothing. One that fails is left alone for a growing while.
 */
export class GapPeers {
  private readonly rests: PeerRests
  private readonly standings = new Map<string, Standing>()

  constructor(clock: Clock) {
    this.rests = new PeerRests(clock)
  }

  isResting(peer: string): boolean {
    return this.rests.isResting(peer)
  }

  /** The lowest is asked first; 0: what it was asked for last it gave in time. */
  rank(peer: string, isRegistered: boolean): number {
    const { hasGiven, misses } = this.standingOf(peer)
    if (misses > 0) return 2 + misses
    if (hasGiven) return 0
    return isRegistered ? 1 : 2
  }

  gave(peer: string, inTime: boolean): void {
    this.rests.clear(peer)
    this.note(peer, { hasGiven: true, misses: inTime ? 0 : this.standingOf(peer).misses })
  }

  /** It answered that it has none of it. Whoever gave others is no worse for that. */
  lacked(peer: string): void {
    if (!this.standingOf(peer).hasGiven) this.missed(peer)
  }

  /** It has not answered yet, and another is asked. */
  isSlow(peer: string): void {
    this.missed(peer)
  }

  failed(peer: string): void {
    this.rests.fail(peer)
    this.missed(peer)
  }

  private missed(peer: string): void {
    const { hasGiven, misses } = this.standingOf(peer)
    this.note(peer, { hasGiven, misses: misses + 1 })
  }

  private standingOf(peer: string): Standing {
    return this.standings.get(peer) ?? { hasGiven: false, misses: 0 }
  }

  private note(peer: string, standing: Standing): void {
    this.standings.delete(peer)
    const [longestAgo] = this.standings.keys()
    if (this.standings.size >= MAX_PEERS && longestAgo !== undefined) this.standings.delete(longestAgo)
    this.standings.set(peer, standing)
  }
}
