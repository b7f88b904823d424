import type { Clock } from '../../core/index.ts'

/** Two for each of the four streams of a peer: one on its way while the other is being answered. */
const MAX_REQUESTS = 8
/** A peer that says it is busy has used up its share with us: within a second it has many more (PeerLimits). */
const PAUSE_MS = 1_000
/** One that is busy whenever it is asked, or lacks again and again what it says it has, is as good as gone. */
const MAX_IN_VAIN = 8
/** A peer that fails is left alone for so long, and for twice as long each further time. */
const REST_MS = 60_000
const MAX_REST_MS = 3_600_000
/** More than we have connections to at a time; past it those that are not being asked are forgotten. */
const MAX_PEERS = 1_024

/** How a request ended: a chunk, none here, later, or not at all. */
export type AskOutcome = 'gave' | 'lacked' | 'busy' | 'failed'

/** What may be given up at any time. */
export interface Work {
  readonly signal: AbortSignal
  /** Resolves when `signal` aborts: one listener for all that wait. */
  readonly ended: Promise<undefined>
}

/** For how long a peer is left alone that failed: each further time twice as long. */
export interface Rests {
  readonly firstMs: number
  readonly mostMs: number
}

interface Standing {
  requests: number
  /** In a row. */
  failures: number
  /** Answers without a chunk, in a row. */
  inVain: number
  pausedUntilMs: number
  restsUntilMs: number
}

/**
 * Whom to ask next: never too much of one peer at a time, and none that failed a moment ago. It asks nobody itself: who
 * has a thing is known from what holders claim, and what asking comes to is told by `release`.
 */
export class PeerChoice {
  private readonly clock: Clock
  private readonly random: (maxExclusive: number) => number
  private readonly rests: Rests
  private readonly standings = new Map<string, Standing>()
  private waiting: (() => void)[] = []

  /** @param modules.random - a whole number from 0 to below `maxExclusive`: who repairs what one node held does not ask one other */
  constructor(
    modules: { readonly clock: Clock; readonly random: (maxExclusive: number) => number },
    rests: Rests = { firstMs: REST_MS, mostMs: MAX_REST_MS },
  ) {
    this.clock = modules.clock
    this.random = modules.random
    this.rests = rests
  }

  /** Whether it may be asked, now or in a moment. */
  isWorthAsking(peer: string): boolean {
    return (this.standings.get(peer)?.restsUntilMs ?? Number.NEGATIVE_INFINITY) <= this.clock.monotonicMs()
  }

  /**
   * One of the least busy, as soon as one may be asked; `release` has to follow.
   *
   * @returns undefined when none of them is worth asking, or the work has ended
   */
  async take(peers: readonly string[], work: Work): Promise<string | undefined> {
    while (!work.signal.aborted) {
      const worth = peers.filter((peer) => this.isWorthAsking(peer))
      if (worth.length === 0) return undefined
      const chosen = this.choose(worth)
      if (chosen !== undefined) {
        this.standingOf(chosen).requests++
        return chosen
      }
      await this.changed(worth, work)
    }
    return undefined
  }

  release(peer: string, outcome: AskOutcome): void {
    const nowMs = this.clock.monotonicMs()
    const standing = this.standingOf(peer)
    standing.requests--
    if (outcome === 'gave') {
      standing.failures = 0
      standing.inVain = 0
    } else if (outcome === 'lacked') standing.inVain++
    else if (outcome === 'busy' && standing.pausedUntilMs <= nowMs) {
      standing.inVain++
      standing.pausedUntilMs = nowMs + PAUSE_MS
    }
    if (outcome === 'failed' || standing.inVain >= MAX_IN_VAIN) this.rest(peer)
    this.wakeAll()
  }

  /** Leaves a peer alone for a while. */
  rest(peer: string): void {
    const nowMs = this.clock.monotonicMs()
    const standing = this.standingOf(peer)
    // Of those under way when it failed each would count.
    if (standing.restsUntilMs <= nowMs) standing.failures++
    standing.inVain = 0
    const { firstMs, mostMs } = this.rests
    standing.restsUntilMs = nowMs + Math.min(mostMs, firstMs * 2 ** (standing.failures - 1))
  }

  private choose(peers: readonly string[]): string | undefined {
    const nowMs = this.clock.monotonicMs()
    const free = peers.flatMap((peer) => {
      const { requests = 0, pausedUntilMs = Number.NEGATIVE_INFINITY } = this.standings.get(peer) ?? {}
      return requests < MAX_REQUESTS && pausedUntilMs <= nowMs ? [{ peer, requests }] : []
    })
    const least = Math.min(...free.map(({ requests }) => requests))
    const chosen = free.filter(({ requests }) => requests === least)
    return chosen.length === 0 ? undefined : chosen[this.random(chosen.length)]?.peer
  }

  /** Until a request ends, or a pause of one of these, or the work. */
  private async changed(peers: readonly string[], { ended }: Work): Promise<void> {
    const woken = new AbortController()
    const nowMs = this.clock.monotonicMs()
    const pauses = peers
      .map((peer) => (this.standings.get(peer)?.pausedUntilMs ?? nowMs) - nowMs)
      .filter((pauseMs) => pauseMs > 0)
    const waits = [ended, new Promise<void>((resolve) => this.waiting.push(resolve))]
    if (pauses.length > 0) waits.push(this.clock.sleep(Math.min(...pauses), woken.signal))
    await Promise.race(waits)
    woken.abort()
  }

  private wakeAll(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const resolve of waiting) resolve()
  }

  private standingOf(peer: string): Standing {
    const known = this.standings.get(peer)
    if (known) return known
    if (this.standings.size >= MAX_PEERS) {
      for (const [other, { requests }] of this.standings) if (requests === 0) this.standings.delete(other)
    }
    const never = Number.NEGATIVE_INFINITY
    const begun = { requests: 0, failures: 0, inVain: 0, pausedUntilMs: never, restsUntilMs: never }
    this.standings.set(peer, begun)
    return begun
  }
}
