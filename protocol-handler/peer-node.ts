import './node20-shim.ts'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { answerPings, PING_PROTOCOL, PING_STREAMS } from './answer-pings.ts'
import { AnswerRoom } from './answer-room.ts'
import { boundGossip } from './bounded-gossip.ts'
import type { ConnectionRates } from './connection-rates.ts'
import { type Frame, FramedStream } from './framed-stream.ts'
import type { GossipRates, Statement } from './gossip-rates.ts'
import type { GossipHandler } from './introductions.ts'
import { createLibp2pNode, DIAL_MS, type Libp2pNode, type Libp2pNodeOptions } from './libp2p-node.ts'
import {
  MAX_ALL_UNTAKEN_ANSWER_BYTES,
  MAX_STREAMS_PER_PEER,
  MAX_UNTAKEN_ANSWER_BYTES,
  MAX_WAITING_ANSWER_BYTES,
  MAX_WAITING_REQUEST_BYTES,
  STRANGERS_SHARE,
} from './limits.ts'
import { LocalPeers } from './local-peers.ts'
import { peekSigner } from './messages/capabilities.ts'
import { findNetwork, formatProtocolId, type StreamName, TOPICS, type TopicName } from './network-name.ts'
import type { Ban, Offence, PeerScores } from './peer-scores.ts'
import type { RefusedPeers } from './refused-peers.ts'
import { RequestPool } from './request-pool.ts'
import { RequestStream } from './request-stream.ts'
import { type Patience, type ServeModules, type StreamService, serveStream, USUAL_PATIENCE } from './serve-stream.ts'
import { StoredPeers } from './stored-peers.ts'
import { type Verdict, verdictOf } from './verdict.ts'
import type { Priority } from './work-queue.ts'

const CLOSE_MS = 2_000
const MAX_RESERVED_BYTES = 1_048_576
/** libp2p passes a message on to so many peers. */
const GOSSIP_FANOUT = 6
const RESULTS: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

export interface PeerNodeOptions extends Libp2pNodeOptions {
  /** Other than the usual ones in tests. */
  readonly patience?: Patience
}

export interface PeerNodeModules extends Omit<ServeModules, 'onOffence' | 'patience' | 'room'> {
  /** Told of every offence; nobody else tells them. */
  readonly scores: PeerScores
  readonly connections: ConnectionRates
  readonly refused: RefusedPeers
  readonly rates: GossipRates
  /** `ban` when it was one too many. */
  readonly onOffence: (peer: string, offence: Offence, ban: Ban | undefined) => void
  /** It is of another network, or showed of none; each time that it was cut off for that. */
  readonly onRefused: (peer: string, reason: Refused) => void
}

/** Why a peer is kept away that did nothing wrong: it shows another network, or none. */
export type Refused = 'foreign' | 'silent'

/** The libp2p node of a sidecar: connections, gossip, requests and answers. Peers are texts of PeerIds. */
export class PeerNode {
  private readonly options: PeerNodeOptions
  private readonly modules: PeerNodeModules
  private readonly libp2p: Libp2pNode
  /** By peer, kind of stream and bound of an answer. */
  private readonly pools = new Map<string, RequestPool>()
  private readonly handlers = new Map<string, GossipHandler>()
  private readonly room = new AnswerRoom({
    totalBytes: MAX_ALL_UNTAKEN_ANSWER_BYTES,
    peerBytes: MAX_UNTAKEN_ANSWER_BYTES,
  })

  private readonly local: LocalPeers
  /** Connected peers that said that they speak protocols of our network. */
  private readonly speakers = new Set<string>()

  private constructor(
    options: PeerNodeOptions,
    modules: PeerNodeModules,
    { libp2p, local }: { readonly libp2p: Libp2pNode; readonly local: LocalPeers },
  ) {
    this.options = options
    this.modules = modules
    this.libp2p = libp2p
    this.local = local
    for (const name of TOPICS) {
      const topic = formatProtocolId(options.identity, name)
      libp2p.services.pubsub.topicValidators.set(topic, async (source, message) => {
        if (message.type !== 'signed') return TopicValidatorResult.Reject
        const author = message.from.toString()
        const isDirect = source.toString() === author
        const statement = { topic, author, isDirect, readClaim: () => peekSigner(message.data) }
        return RESULTS[await this.judge(statement, message.data, message.from)]
      })
    }
    libp2p.addEventListener('connection:open', ({ detail: connection }) => {
      if (connection.direction === 'outbound' || this.hasRoomFor(connection.remotePeer)) return
      connection.abort(new ArchiveError('PROTOCOL_PEER_LIMIT', 'no room for more strangers'))
    })
    libp2p.addEventListener('peer:identify', ({ detail: { peerId, protocols } }) => {
      const network = findNetwork(options.identity, protocols)
      const isHere = libp2p.getConnections(peerId).length > 0
      if (network === 'own' && isHere) this.speakers.add(peerId.toString())
      if (network === 'foreign') this.refuse(peerId.toString(), network)
    })
    const stored = new StoredPeers({
      listConnected: () => this.peers,
      forget: (peer) => void libp2p.peerStore.delete(peerIdFromString(peer)).catch(modules.onFailure),
    })
    libp2p.addEventListener('peer:update', ({ detail: { peer } }) => stored.onChange(peer.id.toString()))
    libp2p.addEventListener('peer:disconnect', ({ detail: peerId }) => {
      this.speakers.delete(peerId.toString())
    })
    boundGossip(libp2p.services.pubsub, (peer, messages) => {
      const verdict = modules.rates.admitFrom(peer, messages)
      if (verdict === 'reject') this.penalise(peer, 'limit')
      return verdict === 'accept'
    })
  }

  /** Begins to listen. @throws ArchiveError PROTOCOL_LISTEN_FAILED */
  static async start(options: PeerNodeOptions, modules: PeerNodeModules): Promise<PeerNode> {
    const local = new LocalPeers()
    const libp2p = await createLibp2pNode(options, {
      keepsAway: (peer) => modules.scores.isBanned(peer) || modules.refused.isRefused(peer),
      admitsHost: (host) => modules.connections.admit(host),
      meterStreams: () => modules.connections.meterStreams(),
      onStreamFlood: (peer, host) => {
        modules.connections.onFlood(host)
        node.penalise(peer, 'limit')
      },
      onLocalPeer: ({ id, multiaddrs }) => local.take(id.toString(), multiaddrs.map(String)),
    })
    const node: PeerNode = new PeerNode(options, modules, { libp2p, local })
    try {
      await libp2p.start()
    } catch (error) {
      await libp2p.stop()
      throw new ArchiveError('PROTOCOL_LISTEN_FAILED', `cannot listen on ${options.listen.join(', ')}`, {}, error)
    }
    await libp2p.handle(
      PING_PROTOCOL,
      async (stream, { remotePeer }) => {
        const peer = remotePeer.toString()
        const admits = (bytes: number): boolean => modules.connections.admitPings(peer, bytes)
        await answerPings(stream, admits).catch(() => node.penalise(peer, 'limit'))
      },
      PING_STREAMS,
    )
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

  /** Multiaddrs of each peer that multicast DNS found; whoever is in the local network may have made them up. */
  get localPeers(): readonly (readonly string[])[] {
    return this.local.list()
  }

  /** Connected peers that showed nothing of our network: they speak none of its protocols and hear none of its topics. */
  get silentPeers(): string[] {
    const hearers = new Set(TOPICS.flatMap((name) => this.subscribersOf(name)))
    return this.peers.filter(
      (peer) => !this.speakers.has(peer) && !hearers.has(peer) && !this.hasOwnStream(peerIdFromString(peer)),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.close(CLOSE_MS)))
    await this.libp2p.stop()
  }

  /** Answers requests of one kind. */
  async serve<Q>(name: StreamName, service: StreamService<Q, Frame>): Promise<void> {
    await this.libp2p.handle(
      formatProtocolId(this.options.identity, name),
      async (stream, connection) => {
        const frames = new FramedStream(stream, {
          maxFrameBytes: service.request.maxBytes,
          maxWaitingBytes: MAX_WAITING_REQUEST_BYTES,
        })
        await serveStream(service, frames, connection.remotePeer.toString(), {
          ...this.modules,
          patience: this.options.patience ?? USUAL_PATIENCE,
          room: this.room,
          onOffence: (peer, offence) => this.penalise(peer, offence),
        })
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
      /** Before what else the answer is taken, where the line is shared out; by the kind of the request where it is left out. */
      readonly priority?: Priority
    },
  ): Promise<Uint8Array[]> {
    const { bandwidth } = this.modules
    const ask = (): Promise<Uint8Array[]> =>
      this.poolOf(peer, name, options.maxAnswerBytes).request(options.bytes, options)
    if (!bandwidth) return await ask()
    // How long the answer is shows when it is there: a chunk at most is set aside, the rest is counted then.
    const reservedBytes = Math.min(MAX_RESERVED_BYTES, options.maxAnswerBytes * options.frames)
    const count = await bandwidth.reserve(options.priority ?? priorityOf(name), reservedBytes)
    let takenBytes = 0
    try {
      const frames = await ask()
      takenBytes = frames.reduce((sum, frame) => sum + frame.length, 0)
      return frames
    } finally {
      count(options.bytes.length + takenBytes)
    }
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

  /** Takes score from a peer; whom that bans is cut off. */
  penalise(peer: string, offence: Offence): void {
    const ban = this.modules.scores.onOffence(peer, offence)
    this.modules.onOffence(peer, offence, ban)
    if (ban) this.cutOff(peer, 'the peer is banned')
  }

  /** Gives the place of a peer that is not of our network to others, for ten minutes at least. */
  refuse(peer: string, reason: Refused): void {
    this.modules.refused.refuse(peer)
    this.modules.onRefused(peer, reason)
    this.cutOff(peer, 'the peer is not of this network')
  }

  /** By the operator; `durationMs` may be infinite. */
  ban(peer: string, durationMs: number): Ban {
    const ban = this.modules.scores.ban(peer, durationMs)
    this.cutOff(peer, 'the peer is banned')
    return ban
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
    this.modules.bandwidth?.spend(bytes.length * GOSSIP_FANOUT)
    await this.libp2p.services.pubsub.publish(formatProtocolId(this.options.identity, name), bytes)
  }

  private hasRoomFor(peer: PeerId): boolean {
    const { isStranger = () => false } = this.modules
    const room = Math.max(1, Math.floor(this.options.maxConnections * STRANGERS_SHARE))
    const connections = this.libp2p.getConnections()
    if (connections.length <= room || !isStranger(peer.toString())) return true
    return connections.filter(({ remotePeer }) => isStranger(remotePeer.toString())).length <= room
  }

  private hasOwnStream(peerId: PeerId): boolean {
    const protocols = this.libp2p
      .getConnections(peerId)
      .flatMap(({ streams }) => streams.map(({ protocol }) => protocol))
    return findNetwork(this.options.identity, protocols) === 'own'
  }

  /** At once: whoever is kept away may not make us wait. */
  private cutOff(peer: string, why: string): void {
    const error = new ArchiveError('PROTOCOL_PEER_LIMIT', why)
    for (const connection of this.libp2p.getConnections(peerIdFromString(peer))) connection.abort(error)
  }

  private async judge(statement: Statement, bytes: Uint8Array, author: PeerId): Promise<Verdict> {
    const { scores, rates, bandwidth } = this.modules
    bandwidth?.spend(bytes.length)
    const handler = this.handlers.get(statement.topic)
    if (!handler || scores.isBanned(statement.author)) return 'ignore'
    const admission = rates.admit(statement)
    if (admission === 'reject') this.penalise(statement.author, 'limit')
    if (admission !== 'accept') return admission
    try {
      await handler(bytes, author.toMultihash().bytes, statement.isDirect)
      bandwidth?.spend(bytes.length * GOSSIP_FANOUT)
      return 'accept'
    } catch (error) {
      const verdict = verdictOf(error)
      if (verdict === 'reject') this.penalise(statement.author, 'reject')
      if (isArchiveError(error, 'PROTOCOL_NETWORK_FOREIGN')) this.refuse(statement.author, 'foreign')
      if (verdict === undefined) this.modules.onFailure(error)
      if (isArchiveError(error, 'PROTOCOL_SEQUENCE_OLD')) rates.giveBack(statement)
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

function priorityOf(name: StreamName): Priority {
  return name === 'challenge' || name === 'audit' ? 'challenge' : 'repair'
}
