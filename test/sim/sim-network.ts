import { ArchiveError } from '../../core/index.ts'
import type { TopicName } from '../../protocol-handler/index.ts'
import { never } from './node-clock.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimPeer } from './sim-peer.ts'
import type { SimRandom } from './sim-random.ts'
import type { SimStream } from './sim-stream.ts'

/** How the network is at the moment. */
export interface Weather {
  readonly latencyMs: number
  /** Up to so much more for each message: they overtake each other. */
  readonly jitterMs: number
  /** Of gossip messages lost; what is lost of a stream comes later. */
  readonly lossRate: number
}

export const FAIR_WEATHER: Weather = { latencyMs: 20, jitterMs: 30, lossRate: 0 }

/** What is lost of a stream is sent again after so long. */
const RESENT_MS = 400
/** libp2p pings every 30 s and waits as long: by then it knows that nobody is there. */
const SILENT_MS = 60_000
/** Peers that a gossip message is passed on to, as gossipsub's mesh is wide. */
const GOSSIP_WIDTH = 8

/** Two peers that see each other. */
export class Connection {
  readonly ends: readonly [SimPeer, SimPeer]
  readonly streams = new Set<SimStream>()
  isOpen = true

  constructor(dialler: SimPeer, listener: SimPeer) {
    this.ends = [dialler, listener]
    for (const end of this.ends) end.connections.set(this.otherThan(end).peer, this)
  }

  otherThan(end: SimPeer): SimPeer {
    return this.ends[0] === end ? this.ends[1] : this.ends[0]
  }

  /** Both ends know at once. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const end of this.ends) {
      const { peer } = this.otherThan(end)
      if (end.connections.get(peer) === this) end.connections.delete(peer)
    }
    const gone = new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'the connection was lost')
    for (const stream of [...this.streams]) stream.abort(gone)
  }
}

/** A message on a topic, on its way through the network. */
interface GossipMessage {
  readonly topic: TopicName
  readonly bytes: Uint8Array
  readonly author: SimPeer
  readonly number: number
  /** Who has it already. */
  readonly seen: Set<SimPeer>
}

/** Everything between the nodes. */
export class SimNetwork {
  readonly scheduler: Scheduler
  readonly random: SimRandom
  weather: Weather = FAIR_WEATHER
  /** By multiaddr: who listens there now. */
  private readonly listeners = new Map<string, SimPeer>()
  /** By name of a node; those of other sides are not reached. */
  private sides: ReadonlyMap<string, number> = new Map()
  private gossiped = 0

  constructor(modules: { readonly scheduler: Scheduler; readonly random: SimRandom }) {
    this.scheduler = modules.scheduler
    this.random = modules.random
  }

  /** Gossip messages that were published. */
  get gossipCount(): number {
    return this.gossiped
  }

  listen(peer: SimPeer): void {
    this.listeners.set(peer.address, peer)
  }

  /** Its process has ended. `silently`: others find out when nothing comes any more. */
  leave(peer: SimPeer, silently: boolean): void {
    if (this.listeners.get(peer.address) === peer) this.listeners.delete(peer.address)
    for (const connection of [...peer.connections.values()]) {
      if (silently) this.scheduler.after(SILENT_MS, () => connection.close())
      else connection.close()
    }
  }

  /** @param sides of each node by its name; who is in none is on side 0 */
  part(sides: ReadonlyMap<string, number>): void {
    this.sides = sides
    for (const peer of this.listeners.values()) {
      for (const connection of peer.connections.values()) {
        if (this.isCut(...connection.ends)) this.watchSilence(connection)
      }
    }
  }

  heal(): void {
    this.sides = new Map()
  }

  isCut(a: SimPeer, b: SimPeer): boolean {
    return (this.sides.get(a.name) ?? 0) !== (this.sides.get(b.name) ?? 0)
  }

  /** How long a message of now takes. */
  drawDelayMs(isReliable: boolean): number {
    const { latencyMs, jitterMs, lossRate } = this.weather
    const isLost = isReliable && lossRate > 0 && this.random.chance(lossRate)
    return latencyMs + this.random.below(jitterMs + 1) + (isLost ? RESENT_MS : 0)
  }

  /** @throws ArchiveError PROTOCOL_PEER_UNREACHABLE when nobody answers */
  async dial(from: SimPeer, address: string): Promise<SimPeer> {
    await this.pass(2 * this.drawDelayMs(true))
    if (from.isOver) await never()
    const to = this.listeners.get(address)
    if (!to || to === from || to.isOver || this.isCut(from, to)) throw refused(address)
    const known = from.connections.get(to.peer)
    if (known?.isOpen && known.otherThan(from) === to) return to
    if (!from.mayConnect(to) || !to.admits(from)) throw refused(address)
    known?.close()
    to.connections.get(from.peer)?.close()
    new Connection(from, to)
    this.scheduler.trace(`connect ${from.name} ${to.name}`)
    return to
  }

  publish(author: SimPeer, topic: TopicName, bytes: Uint8Array): void {
    this.gossiped++
    this.relay({ topic, bytes, author, number: this.gossiped, seen: new Set([author]) }, author)
  }

  /** Resolves after `delayMs`. */
  pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(delayMs, resolve))
  }

  private relay(message: GossipMessage, from: SimPeer): void {
    const others = [...from.connections.values()].map((connection) => connection.otherThan(from))
    const unseen = others.filter((peer) => !message.seen.has(peer))
    const chosen = unseen.length > GOSSIP_WIDTH ? this.random.pickSome(unseen, GOSSIP_WIDTH) : unseen
    for (const to of chosen) {
      if (this.weather.lossRate > 0 && this.random.chance(this.weather.lossRate)) continue
      this.scheduler.after(this.drawDelayMs(false), () => void this.arrive(message, from, to))
    }
  }

  private async arrive(message: GossipMessage, from: SimPeer, to: SimPeer): Promise<void> {
    const isHeard = !to.isOver && to.connections.get(from.peer)?.isOpen === true && !this.isCut(from, to)
    if (!isHeard || message.seen.has(to)) return
    message.seen.add(to)
    const { topic, bytes, author, number } = message
    const verdict = await to.judge(topic, bytes, from, author)
    this.scheduler.trace(`gossip ${number} ${to.name} ${verdict}`)
    if (verdict === 'accept' && !to.isOver) this.relay(message, to)
  }

  private watchSilence(connection: Connection): void {
    this.scheduler.after(SILENT_MS, () => {
      if (this.isCut(...connection.ends)) connection.close()
    })
  }
}

function refused(address: string): ArchiveError {
  return new ArchiveError('PROTOCOL_PEER_UNREACHABLE', `no connection to ${address}`, { address })
}
