import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { fromHex } from '../../core/index.ts'
import {
  auditRequestCodec,
  blockRequestCodec,
  capabilitiesCodec,
  chunkRequestCodec,
  MAX_BLOCKS_PER_REQUEST,
  signCapabilities,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { Attacker, prefixed, publish } from '../../test/protocol-handler/attacker.ts'
import { BENCH_IDENTITY } from '../storage-worker/bench-archive.ts'
import type { FloodedReady } from './flooded-child.ts'

/*
 * The process that floods: as many peers as its second argument says, each doing one thing as fast as it can, and coming
 * back under another name when it is cut off. The first argument is a FloodedReady as JSON. Tells when all are there;
 * the next message ends it, and it tells its own processor time, of one core.
 */

const STREAMS = 4
/** As many as keep each below what is listened to of one. */
const FRIENDS = 100
const GOSSIP = '/meshsub/1.1.0'
const CAPABILITIES = formatProtocolId(BENCH_IDENTITY, 'capabilities')

const [victim, count] = process.argv.slice(2)
if (victim === undefined) throw new Error('whom?')
const { address, chunkIds, periods } = JSON.parse(victim) as FloodedReady
interface Author {
  readonly key: PrivateKey
  /** 38 bytes */
  readonly peerId: Uint8Array
}

let isOver = false
let names = 0
let statements = 0

/** Requests of one kind, one behind the other, on streams that read all answers. */
async function ask(attacker: Attacker, name: 'audit' | 'chunk' | 'block', make: () => Uint8Array): Promise<void> {
  const one = async (): Promise<void> => {
    while (attacker.connection.status === 'open' && !isOver) {
      const stream = await attacker.open(formatProtocolId(BENCH_IDENTITY, name))
      stream.addEventListener('message', () => {})
      await send(stream, () => prefixed(make()))
    }
  }
  await Promise.all(Array.from({ length: STREAMS }, one))
}

/** Until the stream is reset. */
async function send(stream: Stream, make: () => Uint8Array | Promise<Uint8Array>): Promise<void> {
  while (stream.status === 'open' && !isOver) {
    if (!stream.send(await make())) await stream.onDrain()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Validly signed statements: all by itself, or what friends wrote, of whom nobody is too fast. */
async function gossip(attacker: Attacker, authors: readonly Author[]): Promise<void> {
  const stream = await attacker.open(GOSSIP)
  await send(stream, async () => {
    const author = authors[++statements % authors.length] ?? attacker
    const said = signCapabilities(randomBytes(32), {
      network: BENCH_IDENTITY.network,
      peerId: author.peerId,
      sequence: BigInt(statements),
      allocatedGb: 1n,
      storedChunks: 0n,
      retentionPeriods: 0n,
      firstPeriod: 0,
      endPeriod: 0,
      listenAddresses: [],
    })
    const data = capabilitiesCodec.encode(said)
    const rpc = { topic: CAPABILITIES, data, from: author.peerId, sequence: statements, signer: author.key }
    return prefixed(await publish(rpc))
  })
}

const pick = (): Uint8Array => fromHex(chunkIds[Math.floor(Math.random() * chunkIds.length)] ?? '')
const KINDS: ((attacker: Attacker) => Promise<void>)[] = [
  (attacker) => ask(attacker, 'audit', () => auditRequestCodec.encode({ chunkId: pick(), leafIndex: 7 })),
  (attacker) => ask(attacker, 'chunk', () => chunkRequestCodec.encode({ wanted: 'chunk', chunkId: pick() })),
  (attacker) =>
    ask(attacker, 'block', () =>
      blockRequestCodec.encode({
        blocks: Array.from({ length: MAX_BLOCKS_PER_REQUEST }, (_, i) => ({
          thread: i,
          beforePeriod: (i % periods) + 1,
          id: new Uint8Array(33),
        })),
      }),
    ),
  (attacker) => ask(attacker, 'audit', () => randomBytes(30)),
  (attacker) => gossip(attacker, [attacker]),
  (attacker) => gossip(attacker, friends),
]

async function attack(kind: (attacker: Attacker) => Promise<void>): Promise<void> {
  while (!isOver) {
    try {
      await kind(await Attacker.connect(`attacker ${process.pid} ${names++}`, address))
    } catch {
      // Cut off, or not let in.
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

const friends: Author[] = []
for (let i = 0; i < FRIENDS; i++) {
  const key = await generateKeyPair('Ed25519')
  friends.push({ key, peerId: peerIdFromPrivateKey(key).toMultihash().bytes })
}
const cpu = process.cpuUsage()
const startedMs = performance.now()
for (let i = 0; i < Number(count); i++) void attack(KINDS[i % KINDS.length] ?? gossipAlone)
process.send?.('begun')

function gossipAlone(attacker: Attacker): Promise<void> {
  return gossip(attacker, [attacker])
}

process.once('message', () => {
  isOver = true
  const { user, system } = process.cpuUsage(cpu)
  process.send?.((user + system) / 1_000 / (performance.now() - startedMs), () => process.exit(0))
})
