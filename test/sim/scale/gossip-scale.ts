import { RPC } from '@libp2p/gossipsub/message'
import { CHUNK_SIZE_BYTES, type Clock, PERIOD_MS, type StoreIdentity } from '../../../core/index.ts'
import { announcementCodec, type Bindings, Introductions } from '../../../protocol-handler/index.ts'
import { createLibp2pNode } from '../../../protocol-handler/libp2p-node.ts'
import { formatProtocolId, type TopicName } from '../../../protocol-handler/network-name.ts'
import { NETWORK } from './made-nodes.ts'

const IDENTITY: StoreIdentity = { network: NETWORK, chunkSizeBytes: CHUNK_SIZE_BYTES }
/** yamux header 12, noise length and tag 18, TCP and IPv4 headers with timestamps 52. */
export const FRAMING_BYTES = 82
export const LISTEN_ADDRESSES = ['/ip4/203.0.113.7/tcp/31500', '/dns4/storage.example.org/tcp/31500']
const DAY_S = 86_400
const FROM_BYTES = 38
const SEQUENCE_BYTES = 8
const SIGNATURE_BYTES = 64
const KEY_BYTES = 36
/** Key and sequence number. */
const MESSAGE_ID_BYTES = KEY_BYTES + SEQUENCE_BYTES

/** How the gossip of a sidecar is set. */
export interface Mesh {
  readonly degree: number
  /** Peers beside the mesh that are told of messages: at least so many, */
  readonly lazy: number
  /** and at least this share of them. */
  readonly lazyShare: number
  readonly heartbeatMs: number
  /** Heartbeats for which a message is told of. */
  readonly toldHeartbeats: number
  readonly connections: number
}

/** From a node as sidecars make it; it is not started. */
export async function readMesh(maxConnections: number): Promise<Mesh> {
  const options = { identity: IDENTITY, seed: new Uint8Array(32), listen: [], maxConnections, mdns: false }
  const node = await createLibp2pNode(options, {
    keepsAway: () => false,
    admitsHost: () => true,
    meterStreams: () => {
      throw new Error('nobody comes to a node that is not started')
    },
    onStreamFlood: () => undefined,
    onLocalPeer: () => undefined,
  })
  const { opts } = node.services.pubsub as unknown as { opts: Record<string, number | boolean | undefined> }
  const read = (name: string): number => {
    const value = opts[name]
    if (typeof value !== 'number') throw new Error(`gossipsub has no option ${name}`)
    return value
  }
  if (opts.floodPublish !== true) throw new Error('own messages do not go to all peers: the arithmetic is wrong')
  return {
    degree: read('D'),
    lazy: read('Dlazy'),
    lazyShare: read('gossipFactor'),
    heartbeatMs: read('heartbeatInterval'),
    toldHeartbeats: read('mcacheGossip'),
    connections: maxConnections,
  }
}

/** What all nodes together say in one topic. */
export interface Talk {
  readonly topic: TopicName
  /** Of one node. */
  readonly intervalMs: number
  /** Of a message, in its envelope. */
  readonly messageBytes: number
  /** All nodes together. */
  readonly perSecond: number
}

/**
 * How often a node of `nodes` introduces itself, and with how much: as its own class does it.
 *
 * @param hasNewcomers - somebody is there who did not hear it yet, at all times
 */
export async function measureIntroductions(nodes: number, hasNewcomers = false): Promise<Talk> {
  let nowMs = 0
  const sent: { readonly atMs: number; readonly bytes: number }[] = []
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: () => Promise.resolve() }
  const introductions = new Introductions(
    {
      seed: new Uint8Array(32).fill(1),
      describe: async () => ({
        network: NETWORK,
        allocatedGb: 1_000n,
        storedChunks: 300_000n,
        retentionPeriods: 0n,
        firstPeriod: 0,
        endPeriod: 100_000_000,
        listenAddresses: LISTEN_ADDRESSES,
      }),
    },
    {
      network: {
        peerId: new Uint8Array(FROM_BYTES),
        onGossip: () => undefined,
        publish: async (_, bytes) => {
          sent.push({ atMs: nowMs, bytes: bytes.length })
        },
        subscribersOf: () => [hasNewcomers ? `a newcomer at ${nowMs}` : 'a peer that is known'],
      },
      bindings: { count: () => nodes - 1 } as unknown as Bindings,
      sequence: { next: async () => BigInt(nowMs) },
      clock,
      onFailure: (error) => {
        throw error
      },
    },
  )
  for (; sent.length < 3; nowMs += 1_000) await introductions.lookOnce()
  const [, second, third] = sent
  if (!second || !third) throw new Error('nothing was said')
  return talk('capabilities', nodes, { intervalMs: third.atMs - second.atMs, bytes: third.bytes })
}

/** Announcements of `nodes`, all of whose archives are complete. */
export function computeAnnouncements(nodes: number, periods: number, incompleteSlots: readonly number[] = []): Talk {
  const bytes = announcementCodec.encode({
    firstPeriod: 100_000_000,
    periodCount: periods,
    chunkCount: 1_000,
    rootsHash: new Uint8Array(32),
    incompleteSlots,
  }).length
  return talk('announce', nodes, { intervalMs: periods * PERIOD_MS, bytes })
}

function talk(topic: TopicName, nodes: number, said: { readonly intervalMs: number; readonly bytes: number }): Talk {
  const { intervalMs, bytes } = said
  return {
    topic,
    intervalMs,
    messageBytes: computeEnvelopeBytes(topic, bytes),
    perSecond: (nodes * 1_000) / intervalMs,
  }
}

/** Of a message of `bytes` as gossipsub sends it, with its length before it. */
function computeEnvelopeBytes(topic: TopicName, bytes: number): number {
  const message = {
    from: new Uint8Array(FROM_BYTES),
    data: new Uint8Array(bytes),
    seqno: new Uint8Array(SEQUENCE_BYTES),
    topic: formatProtocolId(IDENTITY, topic),
    signature: new Uint8Array(SIGNATURE_BYTES),
    key: new Uint8Array(KEY_BYTES),
  }
  return withLength(RPC.encode({ subscriptions: [], messages: [message] }).length)
}

function computeHintBytes(topic: TopicName, messages: number): number {
  const messageIDs = Array.from({ length: messages }, () => new Uint8Array(MESSAGE_ID_BYTES))
  const ihave = [{ topicID: formatProtocolId(IDENTITY, topic), messageIDs }]
  const control = { ihave, iwant: [], graft: [], prune: [], idontwant: [] }
  return withLength(RPC.encode({ subscriptions: [], messages: [], control }).length)
}

function withLength(bytes: number): number {
  return bytes + (bytes < 128 ? 1 : bytes < 16_384 ? 2 : 3)
}

/** What a node sends in a day for a topic, on average; it receives as much. */
export interface DailyBytes {
  /** The messages: each node passes one on to its mesh, but for where it came from. */
  readonly messages: number
  /** Their ids, which peers beside the mesh are told at each heartbeat. */
  readonly hints: number
}

export function computeDailyBytes(nodes: number, mesh: Mesh, { topic, messageBytes, perSecond }: Talk): DailyBytes {
  const connections = Math.min(nodes - 1, mesh.connections)
  const degree = Math.min(mesh.degree, connections)
  // The author sends to all that it is connected with.
  const copies = (connections + (nodes - 1) * (degree - 1)) / nodes
  const messages = DAY_S * perSecond * copies * (messageBytes + FRAMING_BYTES)
  const others = connections - degree
  const told = Math.min(others, Math.max(mesh.lazy, Math.floor(others * mesh.lazyShare)))
  const idsPerHint = (perSecond * mesh.toldHeartbeats * mesh.heartbeatMs) / 1_000
  const idBytes = computeHintBytes(topic, 2) - computeHintBytes(topic, 1)
  const hintShare = 1 - Math.exp(-idsPerHint)
  const hint = hintShare * (computeHintBytes(topic, 0) + FRAMING_BYTES) + idsPerHint * idBytes
  return { messages, hints: (DAY_S * told * hint * 1_000) / mesh.heartbeatMs }
}
