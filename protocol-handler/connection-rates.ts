import { type Clock, TokenBucket } from '../core/index.ts'
import { networkOf, siteOf } from './host-site.ts'
import {
  CONNECTIONS_PER_FLOOD,
  CONNECTIONS_PER_SECOND,
  CONNECTIONS_PER_SECOND_AND_HOST,
  CONNECTIONS_PER_SECOND_AND_NETWORK,
  MAX_CONNECTIONS_AT_ONCE,
  MAX_CONNECTIONS_AT_ONCE_AND_HOST,
  MAX_CONNECTIONS_AT_ONCE_AND_NETWORK,
  MAX_KNOWN_HOSTS,
  MAX_METERED_PEERS,
  MAX_PINGS_AT_ONCE,
  MAX_STREAMS_OPENED_AT_ONCE,
  PINGS_PER_SECOND,
  STREAMS_OPENED_PER_SECOND,
} from './limits.ts'
import { RateMap } from './rate-map.ts'

/** Of libp2p's specification. */
const PING_BYTES = 32

/**
 * How many connections are let in, before anything is computed for them: of each host, of each network, and of all; and of what costs on
 * each before anything is asked: streams that are opened, and pings.
 */
export class ConnectionRates {
  private readonly hosts: RateMap
  private readonly networks: RateMap
  private readonly all: TokenBucket
  private readonly known: TokenBucket
  private readonly isKnown: (site: string) => boolean
  private readonly pings: RateMap
  private readonly clock: Clock

  /** @param isKnown whether somebody is expected from a site: there is room for those whatever others do; default: nobody is */
  constructor(clock: Clock, isKnown: (site: string) => boolean = () => false) {
    this.clock = clock
    this.isKnown = isKnown
    this.hosts = new RateMap(
      {
        perSecond: CONNECTIONS_PER_SECOND_AND_HOST,
        atOnce: MAX_CONNECTIONS_AT_ONCE_AND_HOST,
        ignored: 0,
        keys: MAX_KNOWN_HOSTS,
      },
      clock,
    )
    this.networks = new RateMap(
      {
        perSecond: CONNECTIONS_PER_SECOND_AND_NETWORK,
        atOnce: MAX_CONNECTIONS_AT_ONCE_AND_NETWORK,
        ignored: 0,
        keys: MAX_KNOWN_HOSTS,
      },
      clock,
    )
    const all = { perSecond: CONNECTIONS_PER_SECOND, burst: MAX_CONNECTIONS_AT_ONCE }
    this.all = new TokenBucket(all, clock)
    this.known = new TokenBucket(all, clock)
    this.pings = new RateMap(
      { perSecond: PINGS_PER_SECOND, atOnce: MAX_PINGS_AT_ONCE, ignored: 0, keys: MAX_METERED_PEERS },
      clock,
    )
  }

  /** @param host - text of the address that a connection comes from, without its port */
  admit(host: string): boolean {
    const site = siteOf(host)
    if (this.hosts.take(site) !== 'accept') return false
    if (this.isKnown(site) && this.known.take()) return true
    return this.networks.take(networkOf(site)) === 'accept' && this.all.take()
  }

  /** Of a new connection: the streams that its peer opens. */
  meterStreams(): TokenBucket {
    return new TokenBucket({ perSecond: STREAMS_OPENED_PER_SECOND, burst: MAX_STREAMS_OPENED_AT_ONCE }, this.clock)
  }

  /** Whether a peer may have so many bytes of pings sent back. */
  admitPings(peer: string, bytes: number): boolean {
    return this.pings.take(peer, Math.ceil(bytes / PING_BYTES)) === 'accept'
  }

  /** A peer opened too many streams: it comes again under another name, but from the same host. */
  onFlood(host: string): void {
    this.hosts.charge(siteOf(host), CONNECTIONS_PER_FLOOD)
  }
}
