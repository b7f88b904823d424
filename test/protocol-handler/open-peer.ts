import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import type { Clock, StoreIdentity } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import type { Bandwidth } from '../../protocol-handler/bandwidth.ts'
import { ConnectionRates } from '../../protocol-handler/connection-rates.ts'
import { GossipRates } from '../../protocol-handler/gossip-rates.ts'
import {
  type AuditRequest,
  auditRequestCodec,
  auditResponseCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { PeerLimits, type PeerShare } from '../../protocol-handler/peer-limits.ts'
import { PeerNode, type Refused } from '../../protocol-handler/peer-node.ts'
import { type Offence, PeerScores } from '../../protocol-handler/peer-scores.ts'
import { RefusedPeers } from '../../protocol-handler/refused-peers.ts'
import type { Patience } from '../../protocol-handler/serve-stream.ts'
import { WorkQueue } from '../../protocol-handler/work-queue.ts'
import { SetClock } from '../devnet/set-clock.ts'

export const IDENTITY: StoreIdentity = {
  network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n },
  chunkSizeBytes: 1_048_576,
}
export const CHUNK_ID = sha256(new TextEncoder().encode('chunk'))
export const DEADLINE_MS = 10_000

export interface Peer {
  readonly node: PeerNode
  readonly scores: PeerScores
  readonly limits: PeerLimits
  readonly connections: ConnectionRates
  readonly offences: [string, Offence][]
  readonly refusals: [string, Refused][]
  readonly failures: unknown[]
}

export interface PeerOptions {
  readonly share?: Partial<PeerShare>
  readonly identity?: StoreIdentity
  readonly patience?: Patience
  readonly listen?: string
  /** Of limits, rates and bans. */
  readonly clock?: Clock
  readonly isStranger?: (peer: string) => boolean
  /** Whether a Massa address is registered. */
  readonly isNode?: (address: string) => boolean
  readonly bandwidth?: Bandwidth
  readonly queue?: WorkQueue
  readonly maxConnections?: number
  /** Only where the network ends at loopback. */
  readonly mdns?: boolean
}

/** An hour passes at each look: rates that nobody reaches. */
class HastyClock extends SetClock {
  override monotonicMs(): number {
    this.timeMs += 3_600_000
    return this.timeMs
  }
}

const opened: PeerNode[] = []

export async function openPeer(name: string, options: PeerOptions = {}): Promise<Peer> {
  const clock = options.clock ?? systemClock
  const scores = new PeerScores(clock)
  const limits = new PeerLimits(
    { requestsPerSecond: 1_000, bytesPerSecond: 1e9, openStreams: 64, ...options.share },
    clock,
  )
  const connections = new ConnectionRates(options.clock ?? new HastyClock())
  const offences: [string, Offence][] = []
  const refusals: [string, Refused][] = []
  const failures: unknown[] = []
  const node = await PeerNode.start(
    {
      identity: options.identity ?? IDENTITY,
      seed: sha256(new TextEncoder().encode(name)),
      listen: [options.listen ?? '/ip4/127.0.0.1/tcp/0'],
      maxConnections: options.maxConnections ?? 50,
      mdns: options.mdns ?? false,
      ...(options.patience && { patience: options.patience }),
    },
    {
      scores,
      limits,
      connections,
      refused: new RefusedPeers(clock),
      rates: new GossipRates(options.isStranger ?? (() => false), options.clock ?? new HastyClock(), options.isNode),
      ...(options.isStranger && { isStranger: options.isStranger }),
      ...(options.bandwidth && { bandwidth: options.bandwidth }),
      queue: options.queue ?? new WorkQueue({ concurrency: 4, capacity: 100 }),
      onOffence: (peer, offence) => offences.push([peer, offence]),
      onRefused: (peer, reason) => refusals.push([peer, reason]),
      onFailure: (error) => failures.push(error),
    },
  )
  opened.push(node)
  return { node, scores, limits, connections, offences, refusals, failures }
}

export async function closePeers(): Promise<void> {
  await Promise.all(opened.splice(0).map((node) => node.stop()))
}

/** Answers every audit with the index that was asked for. */
export function echoAudits(): StreamService<AuditRequest> {
  return {
    request: auditRequestCodec,
    priorityOf: () => 'repair',
    answer: async ({ leafIndex }) => [
      auditResponseCodec.encode({
        status: 'ok',
        leafIndex,
        byteLength: 1_048_576,
        treeRoot: CHUNK_ID,
        leaf: new Uint8Array(1_024).fill(leafIndex),
        path: Array.from({ length: 10 }, () => CHUNK_ID),
      }),
    ],
    refuse: (_, status) => [auditResponseCodec.encode({ status })],
  }
}

export async function ask(from: Peer, to: Peer, leafIndex: number) {
  const [frame] = await from.node.request(to.node.peer, 'audit', {
    bytes: auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex }),
    maxAnswerBytes: auditResponseCodec.maxBytes,
    frames: 1,
    deadlineMs: DEADLINE_MS,
  })
  assert.ok(frame)
  return auditResponseCodec.decode(frame)
}

export async function connect(from: Peer, to: Peer): Promise<void> {
  assert.equal(await from.node.dial(addressOf(to)), to.node.peer)
}

interface GossipMesh {
  readonly services: { readonly pubsub: { getMeshPeers(topic: string): string[] } }
}

/**
 * Until `from` hands on to `to` what others announce: gossipsub takes a peer whose stream is slower than its subscription into
 * its mesh at a heartbeat, up to a second later, and what was said before does not reach it.
 */
export async function mesh(from: Peer, to: Peer): Promise<void> {
  const { libp2p } = from.node as unknown as { readonly libp2p: GossipMesh }
  const topic = formatProtocolId(IDENTITY, 'announce')
  await until(() => libp2p.services.pubsub.getMeshPeers(topic).includes(to.node.peer), 'the mesh')
}

export function addressOf({ node }: Peer): string {
  return node.addresses[0] ?? ''
}

export async function until(isOver: () => boolean, what = 'it'): Promise<void> {
  const limit = Date.now() + 30_000
  while (!isOver()) {
    assert.ok(Date.now() < limit, `${what} did not come within 30 s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
