import { isBug } from '../../archiver/store-watch.ts'
import type { Clock } from '../../core/index.ts'
import type { Fetched } from '../peers/peer-client.ts'
import { type AskOutcome, PeerChoice, type Rests, type Work } from './peer-choice.ts'

/** Peers that one thing is asked of in one search: when so many lack it, it is tried again another time. */
const MAX_PEERS_PER_SEARCH = 8
const OUTCOMES = { ok: 'gave', notHeld: 'lacked', busy: 'busy', refused: 'failed' } as const

/** Where to look for a thing. */
export interface SearchPlace extends Work {
  /** PeerIds of those that say they have it, connected at the moment. */
  readonly listClaimants: () => readonly string[]
  /** Connected peers that may have it. */
  readonly peers: readonly string[]
}

/** `nobody`: all that were asked say they lack it. `unknown`: one that may have it did not answer, or was not asked. */
export type Found<T> =
  | { readonly status: 'ok'; readonly value: T; readonly peer: string }
  | { readonly status: 'nobody' | 'unknown' }

/** Asks one peer after the other until one gives what is wanted; never too much of one peer, whoever searches. */
export class PeerSearch {
  private readonly choice: PeerChoice
  private readonly onFailure: (peer: string, error: unknown) => void

  constructor(
    modules: {
      readonly clock: Clock
      /** A whole number from 0 to below `maxExclusive`. */
      readonly random: (maxExclusive: number) => number
      /** A peer that cannot be reached, or answers wrongly. */
      readonly onFailure: (peer: string, error: unknown) => void
    },
    rests?: Rests,
  ) {
    this.choice = new PeerChoice(modules, rests)
    this.onFailure = modules.onFailure
  }

  /** Those that say they have it come first. @throws a bug of `ask` */
  async find<T>(place: SearchPlace, ask: (peer: string) => Promise<Fetched<T>>): Promise<Found<T>> {
    const tried = new Set<string>()
    const untried = (peers: readonly string[]): string[] => peers.filter((peer) => !tried.has(peer))
    let isUnknown = false
    while (tried.size < MAX_PEERS_PER_SEARCH) {
      const claimants = untried(place.listClaimants())
      const isWorthAsking = claimants.some((peer) => this.choice.isWorthAsking(peer))
      const next = isWorthAsking ? claimants : untried(place.peers)
      if (next.length === 0) {
        const isAnswered = tried.size > 0 && claimants.length === 0 && !isUnknown
        return { status: isAnswered ? 'nobody' : 'unknown' }
      }
      const peer = await this.choice.take(next, place)
      if (peer === undefined) return { status: 'unknown' }
      const answer = await this.ask(peer, ask, place)
      if (answer.status === 'ok') return { ...answer, peer }
      if (answer.status === 'busy') continue
      if (answer.status !== 'notHeld') isUnknown = true
      tried.add(peer)
    }
    return { status: 'unknown' }
  }

  /** What a peer gave was wrong. */
  rest(peer: string): void {
    this.choice.rest(peer)
  }

  /** When the search is given up the answer is not waited for. */
  private async ask<T>(
    peer: string,
    ask: (peer: string) => Promise<Fetched<T>>,
    { ended }: Work,
  ): Promise<Fetched<T> | { readonly status: 'failed' }> {
    let outcome: AskOutcome = 'failed'
    try {
      const answer = await Promise.race([ask(peer), ended])
      outcome = answer ? OUTCOMES[answer.status] : 'gave'
      return answer ?? { status: 'failed' }
    } catch (error) {
      if (isBug(error)) throw error
      this.onFailure(peer, error)
      return { status: 'failed' }
    } finally {
      this.choice.release(peer, outcome)
    }
  }
}
