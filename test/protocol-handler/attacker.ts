import '../../protocol-handler/node20-shim.ts'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, MessageStream, PrivateKey, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { sha256 } from '#crypto'
import { concatBytes } from '../../core/index.ts'

export const DATA = 0
export const WINDOW_UPDATE = 1
export const PING = 2
export const SYN = 1
export const RST = 8

const opened: Attacker[] = []

/** A libp2p client that says what it likes: streams without our rules, and under them the bare connection. */
export class Attacker {
  readonly key: PrivateKey
  readonly connection: Connection
  /** Under yamux: takes any bytes, encrypts and sends them. */
  readonly bare: MessageStream
  private readonly node: Libp2p

  private constructor(options: {
    key: PrivateKey
    connection: Connection
    bare: MessageStream
    node: Libp2p
  }) {
    this.key = options.key
    this.connection = options.connection
    this.bare = options.bare
    this.node = options.node
  }

  /** @param speaks - protocols that it says it speaks; with none it does not say who it is, and listens nowhere */
  static async connect(name: string, address: string, speaks: readonly string[] = []): Promise<Attacker> {
    const key = await generateKeyPairFromSeed('Ed25519', sha256(new TextEncoder().encode(name)))
    const bares: MessageStream[] = []
    const node = await createLibp2p({
      privateKey: key,
      transports: [tcp()],
      connectionEncrypters: [noise()],
      connectionMonitor: { enabled: false },
      ...(speaks.length > 0 && { addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, services: { identify: identify() } }),
      streamMuxers: [
        () => {
          const factory = yamux({ maxOutboundStreams: 100_000 })()
          const create = factory.createStreamMuxer.bind(factory)
          factory.createStreamMuxer = (bare) => {
            bares.push(bare)
            return create(bare)
          }
          return factory
        },
      ],
    })
    for (const protocol of speaks) await node.handle(protocol, () => undefined)
    const connection = await node.dial(multiaddr(address))
    const [bare] = bares
    if (!bare) throw new Error('there is no connection')
    const attacker = new Attacker({ key, connection, bare, node })
    opened.push(attacker)
    return attacker
  }

  static async stopAll(): Promise<void> {
    await Promise.all(opened.splice(0).map((attacker) => attacker.node.stop()))
  }

  get peer(): string {
    return peerIdFromPrivateKey(this.key).toString()
  }

  /** Multiaddr at which it listens. */
  get address(): string {
    return String(this.node.getMultiaddrs()[0])
  }

  /** 38 bytes */
  get peerId(): Uint8Array {
    return peerIdFromPrivateKey(this.key).toMultihash().bytes
  }

  async open(protocol: string): Promise<Stream> {
    return await this.connection.newStream(protocol, { maxOutboundStreams: 100_000 })
  }

  /** The first stream that the other opens. */
  async listenTo(protocol: string): Promise<{ readonly stream: Promise<Stream> }> {
    let first = (_: Stream): void => {}
    const stream = new Promise<Stream>((resolve) => (first = resolve))
    await this.node.handle(protocol, (opened) => first(opened))
    return { stream }
  }

  /** Our yamux would end the connection when more comes than it has given room for. */
  ignoreWindow(stream: Stream): void {
    Object.assign(stream, { recvWindowCapacity: Number.MAX_SAFE_INTEGER })
  }

  /** What a stream brings from now on, and that it has ended. */
  watch(stream: Stream): { bytes: number; isOver: boolean } {
    const seen = { bytes: 0, isOver: stream.status !== 'open' }
    stream.addEventListener('message', ({ data }) => {
      seen.bytes += data.byteLength
    })
    stream.addEventListener('close', () => {
      seen.isOver = true
    })
    return seen
  }
}

/** A yamux frame; `length` may lie. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  length: number,
  body: Uint8Array = new Uint8Array(),
): Uint8Array {
  const header = new DataView(new ArrayBuffer(12))
  header.setUint8(1, type)
  header.setUint16(2, flags)
  header.setUint32(4, streamId)
  header.setUint32(8, length)
  return concatBytes(new Uint8Array(header.buffer), body)
}

/** With the length before it, as streams have messages. */
export function prefixed(bytes: Uint8Array): Uint8Array {
  return concatBytes(encodeLength(bytes.length), bytes)
}

/** Of multistream-select: the greeting and the wish for a protocol. */
export function selectProtocol(protocol: string): Uint8Array {
  const line = (text: string): Uint8Array => prefixed(new TextEncoder().encode(`${text}\n`))
  return concatBytes(line('/multistream/1.0.0'), line(protocol))
}

export interface Publication {
  readonly topic: string
  readonly data: Uint8Array
  /** Of the author; 38 bytes. */
  readonly from: Uint8Array
  readonly sequence: number
  /** Undefined: unsigned. */
  readonly signer: PrivateKey | undefined
}

/** A gossipsub RPC with one message. */
export async function publish({ topic, data, from, sequence, signer }: Publication): Promise<Uint8Array> {
  const sequenceBytes = new Uint8Array(8)
  new DataView(sequenceBytes.buffer).setUint32(4, sequence)
  const message = concatBytes(
    field(1, from),
    field(2, data),
    field(3, sequenceBytes),
    field(4, new TextEncoder().encode(topic)),
  )
  const signature = await signer?.sign(concatBytes(new TextEncoder().encode('libp2p-pubsub:'), message))
  return field(2, signature ? concatBytes(message, field(5, signature)) : message)
}

/** A gossipsub RPC that subscribes to a topic. */
export function subscribe(topic: string): Uint8Array {
  return field(1, concatBytes(Uint8Array.of(8, 1), field(2, new TextEncoder().encode(topic))))
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of((number << 3) | 2), prefixed(bytes))
}

function encodeLength(length: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.of(...bytes, rest)
    bytes.push((rest & 0x7f) | 0x80)
  }
}
