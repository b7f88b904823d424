import { type Clock, isArchiveError } from '../../core/index.ts'
import {
  type AuditRequest,
  auditRequestCodec,
  auditResponseCodec,
  type BlockRequest,
  blockRequestCodec,
  blockResponseCodec,
  type ChunkRequest,
  ConnectionRates,
  capabilitiesCodec,
  chunkRequestCodec,
  chunkResponseCodec,
  GossipRates,
  type ManifestRequest,
  manifestRequestCodec,
  manifestResponseCodec,
  PeerLimits,
  PeerScores,
  RefusedPeers,
  type StreamName,
  type StreamService,
  sealsResponseCodec,
  signCapabilities,
  WorkQueue,
} from '../../protocol-handler/index.ts'
import { type Life, NodeClock } from './node-clock.ts'
import { SIM_IDENTITY, type SimChain } from './sim-chain.ts'
import type { SimIdentity } from './sim-identity.ts'
import type { SimNetwork } from './sim-network.ts'
import { SimPeer } from './sim-peer.ts'
import type { SimRandom } from './sim-random.ts'

/**
 * What a hostile peer does: `liar` claims to have everything and answers with what is none, `mute` claims the same and
 * never answers, `flooder` sends requests, rubbish and replayed gossip as fast as it can, `crowd` is one of many that take
 * the connections of one victim and tell it of addresses where nobody is.
 */
export const ROGUE_KINDS = ['liar', 'mute', 'flooder', 'crowd'] as const
export type RogueKind = (typeof ROGUE_KINDS)[number]

const PLENTY = { requestsPerSecond: 100_000, bytesPerSecond: 1e12, openStreams: 10_000 }
const INTRODUCE_MS = 30_000
const FLOOD_MS = 500
const FLOOD_REQUESTS = 60

/** A hostile peer: its statements are signed, everything else is as it likes. */
export class RoguePeer {
  readonly kind: RogueKind
  readonly peer: SimPeer
  private readonly identity: SimIdentity
  private readonly victims: readonly SimIdentity[]
  private readonly chain: SimChain
  private readonly random: SimRandom
  private readonly clock: Clock
  private readonly headPeriod: () => number
  /** Gossip of others, to be sent again. */
  private readonly heard: Uint8Array[] = []
  private sequence = 0n

  constructor(
    options: { readonly kind: RogueKind; readonly identity: SimIdentity; readonly victims: readonly SimIdentity[] },
    modules: {
      readonly network: SimNetwork
      readonly chain: SimChain
      readonly random: SimRandom
      readonly headPeriod: () => number
    },
  ) {
    const { network } = modules
    const life: Life = { isOver: false }
    this.kind = options.kind
    this.identity = options.identity
    this.victims = options.victims
    this.chain = modules.chain
    this.random = modules.random
    this.headPeriod = modules.headPeriod
    this.clock = new NodeClock({ skewMs: 0, rate: 1 }, { scheduler: network.scheduler, life })
    const { name, peer, peerId, address } = options.identity
    this.peer = new SimPeer(
      { name, peer, peerId, address, maxConnections: 1_000 },
      {
        network,
        life,
        scores: new PeerScores(this.clock),
        connections: new ConnectionRates(this.clock),
        refused: new RefusedPeers(this.clock),
        rates: new GossipRates(() => false, this.clock),
        limits: new PeerLimits(() => PLENTY, this.clock),
        queue: new WorkQueue({ concurrency: 1_000, capacity: 1_000 }, this.clock),
        onOffence: () => undefined,
        onRefused: () => undefined,
        onFailure: () => undefined,
        onServed: () => undefined,
      },
    )
  }

  async start(): Promise<void> {
    for (const [name, service] of this.listServices()) await this.peer.serve(name, service)
    this.peer.onGossip('capabilities', (bytes) => {
      if (this.heard.length < 20) this.heard.push(bytes)
    })
    await Promise.all([this.keepIntroducing(), this.kind === 'flooder' ? this.keepFlooding() : undefined])
  }

  private async keepIntroducing(): Promise<void> {
    for (;;) {
      for (const { address } of this.victims) await this.peer.dial(address).catch(ignore)
      await this.introduce()
      await this.clock.sleep(INTRODUCE_MS + this.random.below(INTRODUCE_MS))
    }
  }

  private async introduce(): Promise<void> {
    this.sequence++
    const isCrowd = this.kind === 'crowd'
    const capabilities = signCapabilities(this.identity.seed, {
      network: SIM_IDENTITY.network,
      peerId: this.identity.peerId,
      sequence: this.sequence,
      allocatedGb: 1_000_000n,
      storedChunks: 1_000_000n,
      retentionPeriods: 0n,
      firstPeriod: 0,
      endPeriod: this.headPeriod() + 1,
      listenAddresses: [isCrowd ? `/ip4/99.1.${this.random.below(250)}.1/tcp/31500` : this.identity.address],
    })
    await this.peer.publish('capabilities', capabilitiesCodec.encode(capabilities))
  }

  private async keepFlooding(): Promise<void> {
    for (;;) {
      await this.clock.sleep(FLOOD_MS)
      const victim = this.random.pick(this.victims)
      await this.peer.dial(victim.address).catch(ignore)
      for (let i = 0; i < FLOOD_REQUESTS; i++) void this.ask(victim.peer).catch(ignore)
      if (this.random.chance(0.2)) void this.sendRubbish(victim.peer).catch(ignore)
      const replayed = this.heard.length > 0 ? this.random.pick(this.heard) : this.noise(100)
      await this.peer.publish('capabilities', this.random.chance(0.5) ? replayed : this.noise(200))
    }
  }

  private async ask(victim: string): Promise<void> {
    const chunk = this.random.pick(this.chain.period(Math.max(1, this.headPeriod())).manifest.chunks)
    const bytes = chunkRequestCodec.encode({ wanted: 'chunk', chunkId: chunk.chunkId })
    const { maxBytes } = chunkResponseCodec
    await this.peer.request(victim, 'chunk', { bytes, maxAnswerBytes: maxBytes, frames: 1, deadlineMs: 30_000 })
  }

  private async sendRubbish(victim: string): Promise<void> {
    const name = this.random.pick(['chunk', 'manifest', 'block', 'audit'] as const)
    const stream = await this.peer.openStream(victim, name, 1_000_000)
    await stream.write(this.noise(this.random.between(0, 3_000)), 10_000)
  }

  private noise(lengthBytes: number): Uint8Array {
    return Uint8Array.from({ length: lengthBytes }, () => this.random.below(256))
  }

  private listServices(): [StreamName, StreamService<never>][] {
    const services: [StreamName, StreamService<never>][] = [
      ['chunk', this.tellChunks() as unknown as StreamService<never>],
      ['manifest', this.tellManifests() as unknown as StreamService<never>],
      ['block', this.tellBlocks() as unknown as StreamService<never>],
      ['audit', this.tellLeaves() as unknown as StreamService<never>],
    ]
    if (this.kind !== 'mute') return services
    return services.map(([name, service]) => [name, { ...service, answer: () => new Promise(() => undefined) }])
  }

  private tellChunks(): StreamService<ChunkRequest> {
    const data = this.noise(SIM_IDENTITY.chunkSizeBytes)
    const position = { period: 1, index: 0, chunkCount: 1, path: [] }
    return {
      request: chunkRequestCodec,
      priorityOf: () => 'repair',
      answer: async ({ wanted }) => [
        wanted === 'chunk'
          ? chunkResponseCodec.encode({ status: 'ok', position, data })
          : sealsResponseCodec.encode({ status: 'ok', totalBytes: data.length, offset: 0, part: data }),
      ],
      refuse: () => [],
    }
  }

  /** Of another period, which is a manifest as good as any. */
  private tellManifests(): StreamService<ManifestRequest> {
    return {
      request: manifestRequestCodec,
      priorityOf: () => 'repair',
      answer: async ({ wanted, firstPeriod, periodCount }) => {
        const items = Array.from({ length: periodCount }, () => this.noise(32))
        return [manifestResponseCodec.encode({ status: 'ok', wanted, firstPeriod, items })]
      },
      refuse: () => [],
    }
  }

  /** The right block under the id of another, or its bytes with one changed. */
  private tellBlocks(): StreamService<BlockRequest> {
    return {
      request: blockRequestCodec,
      priorityOf: () => 'repair',
      answer: async ({ blocks }) =>
        blocks.map(({ id }) => {
          const found = this.chain.blockById(id) ?? this.chain.blocksOf(Math.max(1, this.headPeriod()))[0]
          if (!found) return blockResponseCodec.encode({ status: 'notHeld', id })
          const { record, seals } = found
          const changed = this.random.chance(0.5)
            ? { record: flip(record, this.random), seals }
            : { record, seals: flip(seals, this.random) }
          return blockResponseCodec.encode({ status: 'ok', id, ...changed })
        }),
      refuse: () => [],
    }
  }

  private tellLeaves(): StreamService<AuditRequest> {
    const leaf = this.noise(1_024)
    return {
      request: auditRequestCodec,
      priorityOf: () => 'challenge',
      answer: async ({ leafIndex }) => [
        auditResponseCodec.encode({
          status: 'ok',
          leafIndex,
          byteLength: 1_024 * (leafIndex + 1),
          treeRoot: this.noise(32),
          leaf,
          path: Array.from({ length: 10 }, () => this.noise(32)),
        }),
      ],
      refuse: () => [],
    }
  }
}

function flip(bytes: Uint8Array, random: SimRandom): Uint8Array {
  const changed = Uint8Array.from(bytes)
  const at = random.below(bytes.length)
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  return changed
}

function ignore(error: unknown): void {
  if (!isArchiveError(error)) throw error
}
