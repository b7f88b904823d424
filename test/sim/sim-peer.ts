import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { AnswerRoom } from '../../protocol-handler/answer-room.ts'
import type { FramedStream } from '../../protocol-handler/framed-stream.ts'
import {
  type Frame,
  type GossipHandler,
  MAX_ALL_UNTAKEN_ANSWER_BYTES,
  MAX_REQUEST_BYTES,
  MAX_STREAMS_PER_PEER,
  MAX_UNTAKEN_ANSWER_BYTES,
  type Offence,
  type StreamName,
  type StreamService,
  type TopicName,
  type Verdict,
  verdictOf,
} from '../../protocol-handler/index.ts'
import type { PeerNode, PeerNodeModules } from '../../protocol-handler/peer-node.ts'
import { RequestPool } from '../../protocol-handler/request-pool.ts'
import { RequestStream } from '../../protocol-handler/request-stream.ts'
import { serveStream, USUAL_PATIENCE } from '../../protocol-handler/serve-stream.ts'
import { joinFrame } from '../join-frame.ts'
import { type Life, never } from './node-clock.ts'
import type { Connection, SimNetwork } from './sim-network.ts'
import { SimStream } from './sim-stream.ts'

const MAX_WAITING_ANSWER_BYTES = 4 * 1_048_576

/** What of PeerNode the rooms use; its other end is a simulated network. */
type PeerPort = Pick<
  PeerNode,
  | 'addresses'
  | 'ban'
  | 'dial'
  | 'localPeers'
  | 'onGossip'
  | 'peer'
  | 'peerId'
  | 'peers'
  | 'penalise'
  | 'publish'
  | 'refuse'
  | 'request'
  | 'serve'
  | 'silentPeers'
  | 'stop'
  | 'subscribersOf'
>

/** A request and what it was answered with. */
export interface Answered {
  /** PeerId text */
  readonly asker: string
  readonly request: unknown
  readonly frames: readonly Uint8Array[]
}

export interface SimPeerOptions {
  /** Of the node, in traces. */
  readonly name: string
  /** 38 bytes */
  readonly peerId: Uint8Array
  readonly peer: string
  /** The multiaddr at which it listens, with the PeerId. */
  readonly address: string
  readonly maxConnections: number
}

export interface SimPeerModules extends PeerNodeModules {
  readonly network: SimNetwork
  readonly life: Life
  /** Told of each request that it answers, with its frames. */
  readonly onServed: (name: StreamName, answered: Answered) => void
}

/** One run of a node as the network sees it: streams, requests and gossip as with libp2p, through the same code above it. */
export class SimPeer implements PeerPort {
  readonly connections: Map<string, Connection> = new Map()
  readonly name: string
  readonly peerId: Uint8Array
  readonly peer: string
  readonly address: string
  private readonly maxConnections: number
  private readonly modules: SimPeerModules
  private readonly pools = new Map<string, RequestPool>()
  private readonly handlers = new Map<TopicName, GossipHandler>()
  private readonly room = new AnswerRoom({
    totalBytes: MAX_ALL_UNTAKEN_ANSWER_BYTES,
    peerBytes: MAX_UNTAKEN_ANSWER_BYTES,
  })
  private readonly services = new Map<StreamName, StreamService<never>>()
  private readonly inbound = new Map<string, number>()

  constructor(options: SimPeerOptions, modules: SimPeerModules) {
    this.name = options.name
    this.peerId = options.peerId
    this.peer = options.peer
    this.address = options.address
    this.maxConnections = options.maxConnections
    this.modules = modules
    modules.network.listen(this)
  }

  get isOver(): boolean {
    return this.modules.life.isOver
  }

  /** As others see where it dials from. */
  get host(): string {
    return this.address.split('/')[2] ?? ''
  }

  get addresses(): string[] {
    return [this.address]
  }

  get peers(): string[] {
    return [...this.connections.keys()]
  }

  get localPeers(): [] {
    return []
  }

  /** All are of one network. */
  get silentPeers(): [] {
    return []
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.close(0)))
    this.modules.network.leave(this, false)
  }

  /** Whether it would talk to this one at all. */
  mayConnect(to: SimPeer): boolean {
    return !this.modules.scores.isBanned(to.peer)
  }

  /** Whether it takes a connection that comes. */
  admits(from: SimPeer): boolean {
    const { connections } = this.modules
    return this.mayConnect(from) && this.connections.size < this.maxConnections && connections.admit(from.host)
  }

  async serve<Q>(name: StreamName, service: StreamService<Q, Frame>): Promise<void> {
    const watched: StreamService<Q, Frame> = {
      ...service,
      answer: async (request, peer) => {
        const frames = (await service.answer(request, peer)).map(joinFrame)
        this.modules.onServed(name, { asker: peer, request, frames })
        return frames
      },
    }
    this.services.set(name, watched as unknown as StreamService<never>)
  }

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

  async dial(address: string): Promise<string> {
    const { peer } = await this.modules.network.dial(this, address)
    return peer
  }

  async hangUp(peer: string): Promise<void> {
    this.connections.get(peer)?.close()
  }

  penalise(peer: string, offence: Offence): void {
    const ban = this.modules.scores.onOffence(peer, offence)
    this.modules.onOffence(peer, offence, ban)
    this.modules.network.scheduler.trace(`offence ${this.name} ${peer} ${offence} ${ban ? 'ban' : ''}`)
    if (ban) this.connections.get(peer)?.close()
  }

  refuse(peer: string): void {
    this.connections.get(peer)?.close()
  }

  ban(peer: string, durationMs: number) {
    const ban = this.modules.scores.ban(peer, durationMs)
    this.connections.get(peer)?.close()
    return ban
  }

  subscribersOf(): string[] {
    return this.peers
  }

  onGossip(name: TopicName, handler: GossipHandler): void {
    this.handlers.set(name, handler)
  }

  async publish(name: TopicName, bytes: Uint8Array): Promise<void> {
    if (!this.isOver) this.modules.network.publish(this, name, bytes)
  }

  /** As PeerNode takes a gossip message. */
  async judge(topic: TopicName, bytes: Uint8Array, from: SimPeer, author: SimPeer): Promise<Verdict> {
    const { scores, rates } = this.modules
    const passed = rates.admitFrom(from.peer, 1)
    if (passed === 'reject') this.penalise(from.peer, 'limit')
    if (passed !== 'accept') return 'ignore'
    const handler = this.handlers.get(topic)
    if (!handler || scores.isBanned(author.peer)) return 'ignore'
    const statement = { topic, author: author.peer, isDirect: from === author }
    const admission = rates.admit(statement)
    if (admission === 'reject') this.penalise(author.peer, 'limit')
    if (admission !== 'accept') return admission
    try {
      await handler(bytes, author.peerId, statement.isDirect)
      return 'accept'
    } catch (error) {
      const verdict = verdictOf(error)
      if (verdict === 'reject') this.penalise(author.peer, 'reject')
      if (verdict === undefined) this.modules.onFailure(error)
      if (isArchiveError(error, 'PROTOCOL_SEQUENCE_OLD')) rates.giveBack(statement)
      return verdict ?? 'ignore'
    }
  }

  /** A stream of this kind to a peer, with nothing that asks on it. @throws ArchiveError PROTOCOL_PEER_UNREACHABLE */
  async openStream(peer: string, name: StreamName, maxFrameBytes: number): Promise<SimStream> {
    const { network } = this.modules
    await network.pass(2 * network.drawDelayMs(true))
    if (this.isOver) await never()
    const connection = this.connections.get(peer)
    const other = connection?.otherThan(this)
    const service = other?.services.get(name)
    if (!connection?.isOpen || !other || !service || other.isOver || network.isCut(this, other)) {
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', `no stream to ${peer}`, { peer })
    }
    const [near, far] = SimStream.open(
      {
        opener: this,
        bounds: { maxFrameBytes, maxWaitingBytes: MAX_WAITING_ANSWER_BYTES },
        otherBounds: { maxFrameBytes: service.request.maxBytes, maxWaitingBytes: MAX_REQUEST_BYTES * 64 },
      },
      { network, connection },
    )
    void other.answer(name, service, far, this.peer)
    return near
  }

  private async answer(name: StreamName, service: StreamService<never>, far: SimStream, peer: string): Promise<void> {
    const key = `${peer} ${name}`
    const open = this.inbound.get(key) ?? 0
    if (open >= MAX_STREAMS_PER_PEER) {
      far.abort(new ArchiveError('PROTOCOL_PEER_LIMIT', 'too many streams of one kind'))
      return
    }
    this.inbound.set(key, open + 1)
    const onOffence = (offender: string, offence: Offence): void => this.penalise(offender, offence)
    const modules = { ...this.modules, onOffence, patience: USUAL_PATIENCE, room: this.room }
    await serveStream(service, far as unknown as FramedStream, peer, modules)
    this.inbound.set(key, (this.inbound.get(key) ?? 1) - 1)
  }

  private poolOf(peer: string, name: StreamName, maxAnswerBytes: number): RequestPool {
    const key = `${peer} ${name} ${maxAnswerBytes}`
    const known = this.pools.get(key)
    if (known) return known
    const pool: RequestPool = new RequestPool(
      async () => new RequestStream((await this.openStream(peer, name, maxAnswerBytes)) as unknown as FramedStream),
      () => {
        if (this.pools.get(key) === pool) this.pools.delete(key)
      },
    )
    this.pools.set(key, pool)
    return pool
  }
}
