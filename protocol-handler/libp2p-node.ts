import './node20-shim.ts'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { createTopicScoreParams } from '@libp2p/gossipsub/score'
import { identify } from '@libp2p/identify'
import type { MultiaddrConnection, PeerId, PeerInfo } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { StoreIdentity, TokenBucket } from '../core/index.ts'
import { fastMessageId } from './bounded-gossip.ts'
import { boundedYamux, isStreamFlood } from './bounded-yamux.ts'
import {
  MAX_CONNECTIONS_PER_SECOND_AND_HOST,
  MAX_GOSSIP_BYTES,
  MAX_HALF_OPEN_CONNECTIONS,
  MAX_UNSENT_GOSSIP_BYTES,
  MAX_UPGRADE_MS,
} from './limits.ts'
import { localSearch } from './local-search.ts'
import { formatProtocolId, formatServiceTag, TOPICS } from './network-name.ts'

/** Connecting, and agreeing on a protocol. */
export const DIAL_MS = 10_000
/** A ping waits behind twelve answers of 1 MiB: with libp2p's five seconds a link of 20 Mbit/s would be cut while it works. */
const PING_MS = 30_000

/**
 * Nine messages within a minute that must not be passed on, whoever wrote them, and we hear nothing more of a peer. Nothing
 * else counts: topics with a few messages a minute say nothing about who is diligent.
 */
const TOPIC_SCORE = createTopicScoreParams({
  topicWeight: 1,
  timeInMeshWeight: 0,
  firstMessageDeliveriesWeight: 0,
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: -1,
  invalidMessageDeliveriesDecay: 0.99,
})

/**
 * Peers beside the mesh that are told the ids of new messages in a heartbeat: 3, or 2.5 % of them, not gossipsub's 6 or 25 %.
 * With 128 connections that would be 1.5 GB a day. An id is told in three heartbeats, so a node that the mesh leaves out
 * still hears of it from nine others; whoever misses an introduction or announcement all the same hears the next one.
 */
const GOSSIP_LAZY = 3
const GOSSIP_LAZY_SHARE = 0.025

export interface Libp2pNodeOptions {
  readonly identity: StoreIdentity
  /** 32-byte secret of the PeerId. */
  readonly seed: Uint8Array
  /** Multiaddrs, such as `/ip4/0.0.0.0/tcp/31500`. */
  readonly listen: readonly string[]
  readonly maxConnections: number
  /** Find others in the local network; off where tests and a devnet run. */
  readonly mdns: boolean
}

export type Libp2pNode = Awaited<ReturnType<typeof createLibp2pNode>>

/** libp2p as sidecars have it: TCP, Noise, Yamux, identify, gossipsub and mDNS, each with its bounds; not started. */
export async function createLibp2pNode(
  options: Libp2pNodeOptions,
  ports: {
    /** Whom we neither dial nor let in. */
    readonly keepsAway: (peer: string) => boolean
    readonly admitsHost: (host: string) => boolean
    /** For each connection: how often its peer may open a stream. */
    readonly meterStreams: () => TokenBucket
    /** Its peer opened more. */
    readonly onStreamFlood: (peer: string, host: string) => void
    /** Somebody answered in the local network. */
    readonly onLocalPeer: (peer: PeerInfo) => void
  },
) {
  const denied = (peer: PeerId): boolean => ports.keepsAway(peer.toString())
  // As soon as it is known whose it is: a flood may come before libp2p tells of the connection.
  const onEncrypted = (peer: PeerId, connection: MultiaddrConnection): boolean => {
    connection.addEventListener('close', ({ error }) => {
      if (isStreamFlood(error)) ports.onStreamFlood(peer.toString(), hostOf(connection.remoteAddr))
    })
    return denied(peer)
  }
  const topics = TOPICS.map((name) => formatProtocolId(options.identity, name))
  return await createLibp2p({
    start: false,
    nodeInfo: { name: 'massa-storage', userAgent: 'massa-storage' },
    privateKey: await generateKeyPairFromSeed('Ed25519', options.seed),
    addresses: { listen: [...options.listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [boundedYamux(ports.meterStreams)],
    connectionManager: {
      maxConnections: options.maxConnections,
      inboundConnectionThreshold: MAX_CONNECTIONS_PER_SECOND_AND_HOST,
      maxIncomingPendingConnections: MAX_HALF_OPEN_CONNECTIONS,
      inboundUpgradeTimeout: MAX_UPGRADE_MS,
      dialTimeout: DIAL_MS,
    },
    connectionMonitor: { pingInterval: PING_MS, pingTimeout: { minTimeout: PING_MS } },
    connectionGater: {
      denyInboundConnection: ({ remoteAddr }) => !ports.admitsHost(hostOf(remoteAddr)),
      denyDialPeer: denied,
      denyInboundEncryptedConnection: onEncrypted,
      denyOutboundEncryptedConnection: onEncrypted,
    },
    services: {
      identify: identify(),
      ...(options.mdns && { localSearch: localSearch(formatServiceTag(options.identity), ports.onLocalPeer) }),
      pubsub: gossipsub({
        allowPublishToZeroTopicPeers: true,
        fallbackToFloodsub: false,
        Dlazy: GOSSIP_LAZY,
        gossipFactor: GOSSIP_LAZY_SHARE,
        globalSignaturePolicy: 'StrictSign',
        fastMsgIdFn: fastMessageId,
        maxInboundDataLength: MAX_GOSSIP_BYTES,
        maxOutboundBufferSize: MAX_UNSENT_GOSSIP_BYTES,
        allowedTopics: topics,
        scoreParams: {
          // Many honest nodes share a host: a desk, a hoster (facts: stack 2.4).
          IPColocationFactorWeight: 0,
          topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC_SCORE])),
        },
      }),
    },
  })
}

/** Text of the IP address that a connection comes from or goes to. */
function hostOf(remoteAddr: Multiaddr): string {
  return String(remoteAddr).split('/')[2] ?? ''
}
