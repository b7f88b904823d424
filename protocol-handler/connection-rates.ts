import type { Clock } from '../core/index.ts'
import {
  CONNECTIONS_PER_FLOOD,
  CONNECTIONS_PER_SECOND,
  CONNECTIONS_PER_SECOND_AND_HOST,
  MAX_CONNECTIONS_AT_ONCE,
  MAX_CONNECTIONS_AT_ONCE_AND_HOST,
  MAX_KNOWN_HOSTS,
  MAX_METERED_PEERS,
  MAX_PINGS_AT_ONCE,
  MAX_STREAMS_OPENED_AT_ONCE,
  PINGS_PER_SECOND,
  STREAMS_OPENED_PER_SECOND,
} from './limits.ts'
import { RateMap } from './rate-map.ts'
import { TokenBucket } from './token-bucket.ts'

/** Of libp2p's specification. */
const PING_BYTES = 32

/**
 * How many connections are let in, before anything is computed for them: of each host, and of all; and of what costs on
 * each before anything is asked: streams that are opened, and pings.
 */
export class ConnectionRates {
  private readonly hosts: RateMap
  private readonly all: TokenBucket
  private readonly pings: RateMap
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
    this.hosts = new RateMap(
      {
        perSecond: CONNECTIONS_PER_SECOND_AND_HOST,
        atOnce: MAX_CONNECTIONS_AT_ONCE_AND_HOST,
        ignored: 0,
        keys: MAX_KNOWN_HOSTS,
      },
      clock,
    )
    this.all = new TokenBucket({ perSecond: CONNECTIONS_PER_SECOND, burst: MAX_CONNECTIONS_AT_ONCE }, clock)
    this.pings = new RateMap(
      { perSecond: PINGS_PER_SECOND, atOnce: MAX_PINGS_AT_ONCE, ignored: 0, keys: MAX_METERED_PEERS },
      clock,
    )
  }

  /** @param host - text of the address that a connection comes from, without its port */
  admit(host: string): boolean {
    return this.hosts.take(siteOf(host)) === 'accept' && this.all.take()
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

/** Whoever has one address of IPv6 has the 2^64 beside it. */
function siteOf(host: string): string {
  // Of a socket for both: ::ffff:192.0.2.1
  if (host.includes('.')) return host.slice(host.lastIndexOf(':') + 1)
  if (!host.includes(':')) return host
  const [head = [], tail] = host.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = tail ? Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0') : []
  const groups = [...head, ...zeros, ...(tail ?? [])]
  return groups.slice(0, 4).join(':')
}
