import './node20-shim.ts'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { ArchiveError, type StoreIdentity } from '../core/index.ts'
import { FramedStream } from './framed-stream.ts'
import { MAX_GOSSIP_BYTES, MAX_REQUEST_BYTES, MAX_STREAMS_PER_PEER } from './limits.ts'
import { formatProtocolId, type StreamName, TOPICS, type TopicName } from './network-name.ts'
import type { PeerScores } from './peer-scores.ts'
import { RequestPool } from './request-pool.ts'
import { RequestStream } from './request-stream.ts'
import { type ServeModules, type StreamService, serveStream } from './serve-stream.ts'
import { type Verdict, verdictOf } from './verdict.ts'

/** Connecting, and agreeing on a protocol. */
const DIAL_MS = 10_000
const CLOSE_MS = 2_000
/** Three answers of 1 MiB and what stands around them. */
const MAX_WAITING_ANSWER_BYTES = 4 * 1_048_576
/** Joiners of a site behind one address come together; the default of five a second leaves some without peers (facts: stack 2.4). */
const CONNECTIONS_PER_SECOND_AND_HOST = 50

const RESULTS: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

export interface PeerNodeOptions {
  readonly identity: StoreIdentity
  /** 32-byte secret of the PeerId. */
  readonly seed: Uint8Array
  /** Multiaddrs, such as `/ip4/0.0.0.0/tcp/31500`. */
  readonly listen: readonly string[]
  readonly maxConnections: number
  /** Find others in the local network; off where tests and a devnet run. */
  readonly mdns: boolean
}

export interface PeerNodeModules extends ServeModules {
  readonly scores: PeerScores
}

/** Takes a gossip message; a refusal is thrown. `author` signed it, which the network has checked. */
export type GossipHandler = (bytes: Uint8Array, author: Uint8Array) => Promise<void> | void

/** The libp2p node of a sidecar: connections, gossip, requests and answers. Peers are texts of PeerIds. */
export class PeerNode {
  private readonly options: PeerNodeOptions
  private readonly modules: PeerNodeModules
  private readonly libp2p: Awaited<ReturnType<typeof createNode>>
  /** By peer, kind of stream and bound of an answer. */
  private readonly pools = new Map<string, RequestPool>()
  private readonly handlers = new Map<string, GossipHandler>()

  private constructor(
    options: PeerNodeOptions,
    modules: PeerNodeModules,
    libp2p: Awaited<ReturnType<typeof createNode>>,
  ) {
    this.options = options
    this.modules = modules
    this.libp2p = libp2p
    for (const name of TOPICS) {
      const topic = formatProtocolId(options.identity, name)
      libp2p.services.pubsub.topicValidators.set(topic, async (_, message) => {
        if (message.type !== 'signed') return TopicValidatorResult.Reject
        return RESULTS[await this.judge(topic, message.data, message.from)]
      })
    }
  }

  /** Begins to listen. @throws ArchiveError PROTOCOL_LISTEN_FAILED */
  static async start(options: PeerNodeOptions, modules: PeerNodeModules): Promise<PeerNode> {
    const libp2p = await createNode(options, modules)
    const node = new PeerNode(options, modules, libp2p)
    try {
      await libp2p.start()
    } catch (error) {
      await libp2p.stop()
      throw new ArchiveError('PROTOCOL_LISTEN_FAILED', `cannot listen on ${options.listen.join(', ')}`, {}, error)
    }
    for (const name of TOPICS) libp2p.services.pubsub.subscribe(formatProtocolId(options.identity, name))
    return node
  }

  /** 38 bytes */
  get peerId(): Uint8Array {
    return this.libp2p.peerId.toMultihash().bytes
  }

  get peer(): string {
    return this.libp2p.peerId.toString()
  }

  /** Multiaddrs with the PeerId, as others dial them. */
  get addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String)
  }

  /** Connected peers. */
  get peers(): string[] {
    return this.libp2p.getPeers().map(String)
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.close(CLOSE_MS)))
    await this.libp2p.stop()
  }

  /** Answers requests of one kind. */
  async serve<Q>(name: StreamName, service: StreamService<Q>): Promise<void> {
    await this.libp2p.handle(
      formatProtocolId(this.options.identity, name),
      async (stream, connection) => {
        const frames = new FramedStream(stream, {
          maxFrameBytes: service.request.maxBytes,
          maxWaitingBytes: MAX_REQUEST_BYTES * 64,
        })
        await serveStream(service, frames, connection.remotePeer.toString(), this.modules)
      },
      { maxInboundStreams: MAX_STREAMS_PER_PEER, maxOutboundStreams: MAX_STREAMS_PER_PEER },
    )
  }

  /**
   * Asks a connected or known peer.
   *
   * @param frames that the answer has
   * @throws ArchiveError PROTOCOL_PEER_UNREACHABLE, PROTOCOL_MESSAGE_INVALID
   */
  async request(
    peer: string,
    name: StreamName,
    options: {
      readonly bytes: Uint8Array
      readonly maxAnswerBytes: number
      readonly frames: number
      readonly deadlineMs: number
    },
  ): Promise<Uint8Array[]> {
    return await this.poolOf(peer, name, options.maxAnswerBytes).request(options.bytes, options)
  }

  /** @param address multiaddr with or without a PeerId @throws ArchiveError PROTOCOL_PEER_UNREACHABLE */
  async dial(address: string): Promise<string> {
    try {
      const connection = await this.libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(DIAL_MS) })
      return connection.remotePeer.toString()
    } catch (error) {
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', `no connection to ${address}`, { address }, error)
    }
  }

  /** Ends all connections to a peer. */
  async hangUp(peer: string): Promise<void> {
    await this.libp2p.hangUp(peerIdFromString(peer), { signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => undefined)
  }

  /** Who hears of a topic beside us. */
  subscribersOf(name: TopicName): string[] {
    return this.libp2p.services.pubsub.getSubscribers(formatProtocolId(this.options.identity, name)).map(String)
  }

  onGossip(name: TopicName, handler: GossipHandler): void {
    this.handlers.set(formatProtocolId(this.options.identity, name), handler)
  }

  /** Without peers it reaches nobody: what is announced is announced again. */
  async publish(name: TopicName, bytes: Uint8Array): Promise<void> {
    await this.libp2p.services.pubsub.publish(formatProtocolId(this.options.identity, name), bytes)
  }

  private async judge(topic: string, bytes: Uint8Array, author: PeerId): Promise<Verdict> {
    const handler = this.handlers.get(topic)
    if (!handler || this.modules.scores.isBanned(author.toString())) return 'ignore'
    try {
      await handler(bytes, author.toMultihash().bytes)
      return 'accept'
    } catch (error) {
      const verdict = verdictOf(error)
      if (verdict === 'reject') this.modules.onOffence(author.toString(), 'reject')
      if (verdict === undefined) this.modules.onFailure(error)
      return verdict ?? 'ignore'
    }
  }

  private poolOf(peer: string, name: StreamName, maxAnswerBytes: number): RequestPool {
    const key = `${peer} ${name} ${maxAnswerBytes}`
    const known = this.pools.get(key)
    if (known) return known
    const pool: RequestPool = new RequestPool(
      () => this.openStream(peer, name, maxAnswerBytes),
      () => {
        if (this.pools.get(key) === pool) this.pools.delete(key)
      },
    )
    this.pools.set(key, pool)
    return pool
  }

  private async openStream(peer: string, name: StreamName, maxFrameBytes: number): Promise<RequestStream> {
    try {
      const protocol = formatProtocolId(this.options.identity, name)
      const signal = AbortSignal.timeout(DIAL_MS)
      const stream = await this.libp2p.dialProtocol(peerIdFromString(peer), protocol, { signal })
      return new RequestStream(new FramedStream(stream, { maxFrameBytes, maxWaitingBytes: MAX_WAITING_ANSWER_BYTES }))
    } catch (error) {
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', `no stream to ${peer}`, { peer }, error)
    }
  }
}

async function createNode(options: PeerNodeOptions, { scores }: PeerNodeModules) {
  const denied = (peer: PeerId): boolean => scores.isBanned(peer.toString())
  return await createLibp2p({
    start: false,
    nodeInfo: { name: 'massa-storage', userAgent: 'massa-storage' },
    privateKey: await generateKeyPairFromSeed('Ed25519', options.seed),
    addresses: { listen: [...options.listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    peerDiscovery: options.mdns ? [mdns()] : [],
    connectionManager: {
      maxConnections: options.maxConnections,
      inboundConnectionThreshold: CONNECTIONS_PER_SECOND_AND_HOST,
      maxIncomingPendingConnections: CONNECTIONS_PER_SECOND_AND_HOST,
      dialTimeout: DIAL_MS,
    },
    connectionGater: {
      denyDialPeer: denied,
      denyInboundEncryptedConnection: denied,
      denyOutboundEncryptedConnection: denied,
    },
    services: {
      identify: identify(),
      ping: ping(),
      pubsub: gossipsub({
        allowPublishToZeroTopicPeers: true,
        fallbackToFloodsub: false,
        globalSignaturePolicy: 'StrictSign',
        maxInboundDataLength: MAX_GOSSIP_BYTES,
        allowedTopics: TOPICS.map((name) => formatProtocolId(options.identity, name)),
        // Many honest nodes share a host: a desk, a hoster (facts: stack 2.4).
        scoreParams: { IPColocationFactorWeight: 0 },
      }),
    },
  })
}
