import { type Clock, TokenBucket } from '../core/index.ts'
import {
  GOSSIP_PER_SECOND_AND_PEER,
  MAX_GOSSIP_AT_ONCE,
  MAX_GOSSIP_AUTHORS,
  MAX_GOSSIP_PEERS,
  MAX_IGNORED_STATEMENTS,
  MAX_STATEMENTS_AT_ONCE,
  MAX_STRANGER_STATEMENTS_AT_ONCE,
  STATEMENTS_PER_SECOND,
  STRANGER_STATEMENTS_PER_SECOND,
} from './limits.ts'
import { RateMap } from './rate-map.ts'
import type { Verdict } from './verdict.ts'

/** A validly signed gossip message. */
export interface Statement {
  readonly topic: string
  /** Text of the PeerId that signed it. */
  readonly author: string
  /** The author itself sent it to us. */
  readonly isDirect: boolean
  /** The Massa address in whose name it is, as far as it says itself; looked at where it matters. */
  readonly readClaim?: () => string | undefined
}

/** How much gossip is listened to: of each author, of all strangers together, and of each peer that hands it on. */
export class GossipRates {
  private readonly isStranger: (author: string) => boolean
  private readonly authors: RateMap
  private readonly peers: RateMap
  private readonly strangers: TokenBucket
  private readonly newcomers: TokenBucket
  private readonly isNode: (address: string) => boolean

  /**
   * @param isStranger whether the registry does not know who speaks with this PeerId
   * @param isNode whether the registry knows a Massa address; default: none
   */
  constructor(
    isStranger: (author: string) => boolean,
    clock: Clock,
    isNode: (address: string) => boolean = () => false,
  ) {
    this.isStranger = isStranger
    this.isNode = isNode
    this.authors = new RateMap(
      {
        perSecond: STATEMENTS_PER_SECOND,
        atOnce: MAX_STATEMENTS_AT_ONCE,
        ignored: MAX_IGNORED_STATEMENTS,
        keys: MAX_GOSSIP_AUTHORS,
      },
      clock,
    )
    this.peers = new RateMap(
      {
        perSecond: GOSSIP_PER_SECOND_AND_PEER,
        atOnce: MAX_GOSSIP_AT_ONCE,
        ignored: MAX_GOSSIP_AT_ONCE,
        keys: MAX_GOSSIP_PEERS,
      },
      clock,
    )
    const bounds = { perSecond: STRANGER_STATEMENTS_PER_SECOND, burst: MAX_STRANGER_STATEMENTS_AT_ONCE }
    this.strangers = new TokenBucket(bounds, clock)
    this.newcomers = new TokenBucket(bounds, clock)
  }

  /**
   * One more message. What comes too fast is ignored, then rejected; but what others hand on is ignored only: an honest
   * peer cannot know what else the author sends to whom.
   */
  admit(statement: Statement): Verdict {
    const verdict = this.authors.take(keyOf(statement))
    if (verdict !== 'accept') return statement.isDirect ? verdict : 'ignore'
    if (!this.isStranger(statement.author) || this.strangers.take()) return 'accept'
    return this.admitNewcomer(statement) ? 'accept' : 'ignore'
  }

  /**
   * A node of the registry of which nothing was heard yet is not drowned by made-up ones: there is room for as many again that
   * say they are one. Who says so and is none is not passed on, and soon not listened to.
   */
  private admitNewcomer({ readClaim }: Statement): boolean {
    if (!readClaim || !this.newcomers.take()) return false
    const address = readClaim()
    if (address !== undefined && this.isNode(address)) return true
    this.newcomers.takeOnCredit(-1)
    return false
  }

  /** It was an old one: anybody can send it again, which must not make us deaf to its author. */
  giveBack(statement: Statement): void {
    if (statement.isDirect) return
    this.authors.giveBack(keyOf(statement))
    if (this.isStranger(statement.author)) this.strangers.takeOnCredit(-1)
  }

  /** So many messages that a peer hands on, not yet looked at. `reject`: it goes on and on. */
  admitFrom(peer: string, messages: number): Verdict {
    return this.peers.take(peer, Math.max(1, messages))
  }
}

/** What others hand on is counted apart. */
function keyOf({ topic, author, isDirect }: Statement): string {
  return `${topic} ${author} ${isDirect}`
}
