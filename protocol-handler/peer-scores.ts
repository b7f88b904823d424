import type { Clock } from '../core/index.ts'
import { MAX_SCORE, MAX_SCORED_PEERS } from './limits.ts'

/** A score falls to half in this time: what a peer did yesterday is forgiven. */
const HALF_LIFE_MS = 600_000
/** An hour; each further ban of the same peer is twice as long. */
const FIRST_BAN_MS = 3_600_000
const LONGEST_BAN_MS = 7 * 86_400_000

/** Why a peer lost score. */
export type Offence = 'reject' | 'wrongChunk' | 'limit'

/** A chunk that does not match its id cannot be an accident: the peer is dropped at once. */
const COST: Record<Offence, number> = { reject: 1, wrongChunk: MAX_SCORE, limit: 1 }

export interface Ban {
  readonly peer: string
  /** A date, by the wall clock as it is now: ms since 1970. */
  readonly untilMs: number
  readonly reason: Offence | 'operator'
}

/** A ban as it outlives a restart, in which the monotonic clock begins anew. */
export interface KeptBan {
  readonly peer: string
  readonly reason: Ban['reason']
  /** Infinite for one without end. */
  readonly leftMs: number
  /** How often the peer was banned: the next one is longer. */
  readonly bans: number
}

/** Times are those of the monotonic clock: a ban lasts as long as it was meant to. */
interface Standing {
  score: number
  atMs: number
  bans: number
  ban: { readonly endMs: number; readonly reason: Ban['reason'] } | undefined
}

/** How peers behaved, and who is banned until when. Peers are texts of PeerIds. */
export class PeerScores {
  private readonly clock: Clock
  /** By time of the last event: the first is forgotten first. */
  private readonly standings = new Map<string, Standing>()
  private changeCount = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** @returns the ban that this offence brought, if any */
  onOffence(peer: string, offence: Offence): Ban | undefined {
    const standing = this.touch(peer)
    standing.score = this.decayed(standing) + COST[offence]
    standing.atMs = this.clock.monotonicMs()
    if (standing.score < MAX_SCORE || this.isInForce(standing.ban)) return undefined
    const durationMs = Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** standing.bans)
    standing.bans++
    standing.score = 0
    return this.put(peer, durationMs, offence)
  }

  /** By the operator; `durationMs` may be infinite. */
  ban(peer: string, durationMs: number): Ban {
    return this.put(peer, durationMs, 'operator')
  }

  /** @returns false when the peer was not banned */
  unban(peer: string): boolean {
    const standing = this.standings.get(peer)
    if (!standing || !this.isInForce(standing.ban)) return false
    this.standings.delete(peer)
    this.changeCount++
    return true
  }

  isBanned(peer: string): boolean {
    return this.isInForce(this.standings.get(peer)?.ban)
  }

  /** 0 = nothing to say against it; at 10 it is banned. */
  scoreOf(peer: string): number {
    const standing = this.standings.get(peer)
    return standing ? this.decayed(standing) : 0
  }

  /** Those in force. */
  listBans(): Ban[] {
    return [...this.standings].flatMap(([peer, { ban }]) => (ban && this.isInForce(ban) ? [this.show(peer, ban)] : []))
  }

  /** Grows with each ban, and with each that is taken back. */
  get changes(): number {
    return this.changeCount
  }

  /** Bans in force that are to outlive a restart: those of the operator first, then those that last longest. */
  keep(maxBans: number): KeptBan[] {
    const nowMs = this.clock.monotonicMs()
    return [...this.standings]
      .flatMap(([peer, { ban, bans }]) =>
        ban && this.isInForce(ban) ? [{ peer, reason: ban.reason, leftMs: ban.endMs - nowMs, bans }] : [],
      )
      .sort((a, b) => rankOf(a) - rankOf(b) || longerFirst(a, b))
      .slice(0, maxBans)
  }

  /** Puts kept bans in force again, each for what is left of it. */
  restore(kept: readonly KeptBan[]): void {
    const nowMs = this.clock.monotonicMs()
    for (const { peer, reason, leftMs, bans } of kept) {
      const standing = this.touch(peer)
      standing.ban = { endMs: nowMs + leftMs, reason }
      standing.bans = bans
    }
  }

  private put(peer: string, durationMs: number, reason: Ban['reason']): Ban {
    const ban = { endMs: this.clock.monotonicMs() + durationMs, reason }
    this.touch(peer).ban = ban
    this.changeCount++
    return this.show(peer, ban)
  }

  private show(peer: string, { endMs, reason }: NonNullable<Standing['ban']>): Ban {
    return { peer, untilMs: this.clock.nowMs() + (endMs - this.clock.monotonicMs()), reason }
  }

  private touch(peer: string): Standing {
    const standing = this.standings.get(peer) ?? { score: 0, atMs: this.clock.monotonicMs(), bans: 0, ban: undefined }
    this.standings.delete(peer)
    this.standings.set(peer, standing)
    if (this.standings.size > MAX_SCORED_PEERS) this.forgetOne()
    return standing
  }

  /** Who is banned is remembered, unless all are: strangers must not push a ban out of memory. */
  private forgetOne(): void {
    let oldest: string | undefined
    for (const [peer, { ban }] of this.standings) {
      oldest ??= peer
      if (this.isInForce(ban)) continue
      this.standings.delete(peer)
      return
    }
    if (oldest !== undefined) this.standings.delete(oldest)
  }

  private decayed({ score, atMs }: Standing): number {
    return score * 0.5 ** ((this.clock.monotonicMs() - atMs) / HALF_LIFE_MS)
  }

  private isInForce(ban: Standing['ban']): boolean {
    return ban !== undefined && ban.endMs > this.clock.monotonicMs()
  }
}

function rankOf({ reason }: KeptBan): number {
  return reason === 'operator' ? 0 : 1
}

/** Two without end are equal, which their difference would not say. */
function longerFirst(a: KeptBan, b: KeptBan): number {
  return a.leftMs === b.leftMs ? 0 : b.leftMs > a.leftMs ? 1 : -1
}
