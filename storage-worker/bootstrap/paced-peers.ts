import { type Clock, isArchiveError, type Period, TokenBucket } from '../../core/index.ts'
import type { Fetched } from '../peers/peer-client.ts'
import { PeerRests } from '../peers/peer-rests.ts'
import { orAborted } from '../replication/or-aborted.ts'

/** A peer, and what it says it has. */
export interface PeerArchive {
  readonly peer: string
  readonly firstPeriod: Period
  /** One after the last. */
  readonly endPeriod: Period
}

/** What one peer is asked for at most. */
export interface AskLimits {
  readonly requestsInFlight: number
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
}

/** Half of what a sidecar gives one peer: the rest is for what is more urgent. */
export const ASK_LIMITS: AskLimits = { requestsInFlight: 8, requestsPerSecond: 50, bytesPerSecond: 32_000_000 }

export interface Question<T> {
  /** A peer that lacks this is not asked for it again for a while. */
  readonly name: string
  readonly period: Period
  /** Asked first while it can be, unless it did not answer lately. */
  readonly prefer?: string | undefined
  readonly send: (peer: string) => Promise<Fetched<T>>
  readonly sizeOf: (value: T) => number
  /** Of what is `wrong` the peer pays for it; what does not `fit` may be another's fault. In both cases another is asked. */
  readonly judge?: (value: T, peer: string) => Promise<Judgement>
}

export type Judgement = 'right' | 'wrong' | 'unfit'

export interface Answer<T> {
  readonly peer: string
  readonly value: T
}

/** How a request to one peer ended. */
interface Outcome<T> {
  readonly peer: string
  readonly given?: { readonly value: T }
  readonly isBusy?: boolean
}

/** A peer that lacks something may get it; one that gave what was wrong may have been damaged, not hostile. */
const AGAIN_MS = 600_000
const BUSY_MS = 1_000
const BURST_SECONDS = 2
/** One question waits so long for peers that are at their bounds. */
const MAX_WAIT_MS = 60_000
const LEAST_WAIT_MS = 50
/** Of what a peer that gave nothing lately does not give within so long another is asked, too. */
const SLOW_MS = 3_000
const MAX_REMEMBERED = 100_000
const MAX_MISSES = 10
/** Far more than are connected; past it the one that was asked longest ago is forgotten. */
const MAX_PEERS = 1_000

interface Standing {
  hasGiven: boolean
  limits: AskLimits
  requests: TokenBucket
  bytes: TokenBucket
  inFlight: number
  askedBytes: number
  /** Questions since it last had what was asked for; those that it did not answer count, too. */
  misses: number
  /** By the monotonic clock. */
  restsUntilMs: number
  distrustedUntilMs: number
}

/**
 * Asks peers, in requests and bytes a second what each may be asked: spreads questions evenly, and remembers who lacks
 * what and who gave what was wrong. Bootstrap asks for whole periods for hours; repair chooses by claims (`PeerChoice`).
 */
export class PacedPeers {
  private readonly limitsNow: () => AskLimits
  private readonly listPeers: () => readonly PeerArchive[]
  private readonly onWrong: (peer: string) => void
  private readonly onFailure: (error: unknown) => void
  private readonly clock: Clock
  private readonly rests: PeerRests
  private readonly standings = new Map<string, Standing>()
  /** By `peer name`: when it did not have it. */
  private readonly lacks = new Map<string, number>()
  private waiting: (() => void)[] = []

  /** @param limits of every peer; they may change at any time */
  constructor(
    modules: {
      readonly listPeers: () => readonly PeerArchive[]
      /** A peer gave something that is not what it has to be. */
      readonly onWrong: (peer: string) => void
      /** Peers that cannot be reached, or break the protocol. */
      readonly onFailure: (error: unknown) => void
      readonly clock: Clock
    },
    limits: AskLimits | (() => AskLimits) = ASK_LIMITS,
  ) {
    this.limitsNow = typeof limits === 'function' ? limits : () => limits
    this.listPeers = modules.listPeers
    this.onWrong = modules.onWrong
    this.onFailure = modules.onFailure
    this.clock = modules.clock
    this.rests = new PeerRests(modules.clock)
  }

  /** The first period that any peer says it has; undefined while none says that it has any. */
  get oldestPeriod(): Period | undefined {
    const firstPeriods = this.listPeers().flatMap(({ firstPeriod, endPeriod }) =>
      firstPeriod < endPeriod ? [firstPeriod] : [],
    )
    return firstPeriods.length === 0 ? undefined : Math.min(...firstPeriods)
  }

  /** Who may have a period and is trusted: last those that lately had nothing or did not answer, first those that gave least. */
  listFor(period: Period): string[] {
    const nowMs = this.clock.monotonicMs()
    return this.listPeers()
      .filter(({ firstPeriod, endPeriod }) => period >= firstPeriod && period < endPeriod)
      .map(({ peer }) => peer)
      .filter((peer) => (this.standings.get(peer)?.distrustedUntilMs ?? nowMs) <= nowMs)
      .sort((a, b) => this.load(a) - this.load(b))
  }

  /** It gave what is wrong: nothing is asked of it for a while. */
  distrust(peer: string): void {
    this.standing(peer).distrustedUntilMs = this.clock.monotonicMs() + AGAIN_MS
    this.onWrong(peer)
  }

  /**
   * One peer after the other, until one gives what is wanted. Anybody can make up peers that never answer: who gave nothing
   * lately is waited for alone for 3 s only; who did may have a slow line, and to ask for more would make it slower.
   *
   * @returns undefined when none is left to be asked
   */
  async ask<T>(question: Question<T>, signal: AbortSignal): Promise<Answer<T> | undefined> {
    const tried = new Set<string>()
    const underWay = new Map<string, Promise<Outcome<T>>>()
    const untilMs = this.clock.monotonicMs() + MAX_WAIT_MS
    while (!signal.aborted) {
      const peers = this.listFor(question.period).filter(
        (peer) => !tried.has(peer) && this.mayHave(peer, question.name) && this.rests.untilMs(peer) < untilMs,
      )
      const ready = peers.filter((peer) => this.waitMs(peer) === 0)
      const peer = ready.find((one) => one === question.prefer && !this.rests.hasFailed(one)) ?? ready[0]
      if (peer !== undefined) {
        tried.add(peer)
        underWay.set(peer, this.askOne(peer, question, signal))
      } else if (underWay.size === 0) {
        if (peers.length === 0 || this.clock.monotonicMs() >= untilMs) return undefined
        await this.rest(peers, signal)
        continue
      }
      const outcome = await this.firstOf(underWay, peer)
      if (!outcome) continue
      underWay.delete(outcome.peer)
      if (outcome.isBusy) tried.delete(outcome.peer)
      if (outcome.given && (await this.accept(outcome.peer, question, outcome.given.value))) {
        return { peer: outcome.peer, value: outcome.given.value }
      }
    }
    return undefined
  }

  /** @param asked - the one that was asked last, if one was. @returns undefined when another may be asked, too */
  private async firstOf<T>(
    underWay: ReadonlyMap<string, Promise<Outcome<T>>>,
    asked: string | undefined,
  ): Promise<Outcome<T> | undefined> {
    const standing = asked === undefined ? undefined : this.standing(asked)
    if (standing?.hasGiven && standing.misses === 0) return await Promise.race(underWay.values())
    const woken = new AbortController()
    // Where all others are at their bounds one of them may be asked when any has answered.
    const more = standing ? [] : [this.answered()]
    const outcome = await Promise.race([...underWay.values(), ...more, this.clock.sleep(SLOW_MS, woken.signal)])
    woken.abort()
    if (!outcome && standing) this.miss(standing)
    return outcome ?? undefined
  }

  private async askOne<T>(peer: string, question: Question<T>, signal: AbortSignal): Promise<Outcome<T>> {
    const standing = this.standing(peer)
    standing.inFlight++
    standing.requests.takeOnCredit(1)
    try {
      const answer = await orAborted(question.send(peer), signal)
      if (!answer) return { peer }
      if (answer.status === 'busy') {
        standing.restsUntilMs = this.clock.monotonicMs() + BUSY_MS
        return { peer, isBusy: true }
      }
      if (answer.status === 'ok') {
        standing.hasGiven = true
        standing.misses = 0
        this.rests.clear(peer)
        const size = question.sizeOf(answer.value)
        standing.askedBytes += size
        standing.bytes.takeOnCredit(size)
        return { peer, given: answer }
      }
      this.miss(standing)
      this.remember(peer, question.name)
    } catch (error) {
      this.miss(standing)
      this.noteFailure(peer, error)
    } finally {
      standing.inFlight--
      for (const wake of this.waiting.splice(0)) wake()
    }
    return { peer }
  }

  /** One after the other: what the judge of a question found belongs to what is returned. */
  private async accept<T>(peer: string, question: Question<T>, value: T): Promise<boolean> {
    try {
      const judgement = (await question.judge?.(value, peer)) ?? 'right'
      if (judgement === 'wrong') this.distrust(peer)
      else if (judgement === 'unfit') this.remember(peer, question.name)
      return judgement === 'right'
    } catch (error) {
      this.noteFailure(peer, error)
      return false
    }
  }

  private noteFailure(peer: string, error: unknown): void {
    if (!isArchiveError(error)) throw error
    this.onFailure(error)
    if (error.code === 'PROTOCOL_PEER_UNREACHABLE') this.rests.fail(peer)
    // Whoever asked for it has made the peer pay.
    else this.standing(peer).distrustedUntilMs = this.clock.monotonicMs() + AGAIN_MS
  }

  /** Until one of them may be asked, or somebody has answered. */
  private async rest(peers: readonly string[], signal: AbortSignal): Promise<void> {
    const waitMs = Math.min(...peers.map((peer) => this.waitMs(peer)))
    const answered = this.answered()
    // Who has as many requests in flight as it may answers or fails within the deadline of a request.
    if (!Number.isFinite(waitMs)) await orAborted(answered, signal)
    else await Promise.race([answered, this.clock.sleep(Math.max(LEAST_WAIT_MS, waitMs), signal)])
  }

  /** Until any peer has answered anything. */
  private answered(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** 0: it may be asked now; Infinity: not before it has answered. */
  private waitMs(peer: string): number {
    const { limits, requests, bytes, inFlight, restsUntilMs, hasGiven } = this.standing(peer)
    // Who gave nothing yet, or nothing since it did not answer, is tried with one at a time.
    const isProven = hasGiven && !this.rests.hasFailed(peer)
    if (inFlight >= (isProven ? limits.requestsInFlight : 1)) return Number.POSITIVE_INFINITY
    const restMs = Math.max(0, Math.max(restsUntilMs, this.rests.untilMs(peer)) - this.clock.monotonicMs())
    return Math.max(restMs, requests.takeOnCredit(0), bytes.takeOnCredit(0))
  }

  private miss(standing: Standing): void {
    standing.misses = Math.min(standing.misses + 1, MAX_MISSES)
  }

  private load(peer: string): number {
    const standing = this.standings.get(peer)
    // Who had nothing so far is asked after all others.
    return standing ? standing.misses * 1e14 + standing.inFlight * 1e12 + standing.askedBytes : 0
  }

  private mayHave(peer: string, name: string): boolean {
    const atMs = this.lacks.get(`${peer} ${name}`)
    return atMs === undefined || this.clock.monotonicMs() - atMs >= AGAIN_MS
  }

  private remember(peer: string, name: string): void {
    if (this.lacks.size >= MAX_REMEMBERED) this.lacks.clear()
    this.lacks.set(`${peer} ${name}`, this.clock.monotonicMs())
  }

  private standing(peer: string): Standing {
    const limits = this.limitsNow()
    const standing = this.standings.get(peer) ?? {
      ...this.beginRates(limits),
      hasGiven: false,
      inFlight: 0,
      askedBytes: 0,
      misses: 0,
      restsUntilMs: Number.NEGATIVE_INFINITY,
      distrustedUntilMs: Number.NEGATIVE_INFINITY,
    }
    if (standing.limits !== limits) Object.assign(standing, this.beginRates(limits))
    this.standings.delete(peer)
    this.standings.set(peer, standing)
    if (this.standings.size > MAX_PEERS) this.forgetOne()
    return standing
  }

  private beginRates(limits: AskLimits): Pick<Standing, 'limits' | 'requests' | 'bytes'> {
    const bucket = (perSecond: number) => new TokenBucket({ perSecond, burst: perSecond * BURST_SECONDS }, this.clock)
    return { limits, requests: bucket(limits.requestsPerSecond), bytes: bucket(limits.bytesPerSecond) }
  }

  private forgetOne(): void {
    for (const [peer, { inFlight }] of this.standings) {
      if (inFlight > 0) continue
      this.standings.delete(peer)
      return
    }
  }
}
