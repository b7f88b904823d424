import '../../protocol-handler/node20-shim.ts'
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { type LengthPrefixedStream, lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CHUNK_SIZE_BYTES } from '../../core/index.ts'

const PROTOCOL = '/bare/1'
const STREAMS = 4
const REQUEST_BYTES = 34

/** @param read - answers the request of this number; default: each with the same 1 MiB of memory */
export async function serveBare(
  read?: (request: number) => Promise<Uint8Array>,
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const chunk = randomBytes(CHUNK_SIZE_BYTES)
  let requests = 0
  const node = await createBare('/ip4/127.0.0.1/tcp/0')
  await node.handle(PROTOCOL, async (stream) => {
    const frames = lpStream(stream)
    try {
      for (;;) {
        await frames.read()
        await frames.write(read ? await read(requests++) : chunk)
      }
    } catch {
      // The asker has ended.
    }
  })
  return { address: String(node.getMultiaddrs()[0]), stop: async () => await node.stop() }
}

/** Four streams that are kept, three requests on each at most when twelve are asked at a time. */
export class BareAsker {
  private readonly streams: {
    readonly frames: LengthPrefixedStream<Stream>
    turn: Promise<unknown>
    inFlight: number
  }[]
  private readonly stopNode: () => Promise<void>

  private constructor(streams: readonly Stream[], stopNode: () => Promise<void>) {
    this.streams = streams.map((stream) => ({ frames: lpStream(stream), turn: Promise.resolve(), inFlight: 0 }))
    this.stopNode = stopNode
  }

  static async connect(address: string): Promise<BareAsker> {
    const node = await createBare()
    const streams: Stream[] = []
    for (let i = 0; i < STREAMS; i++) streams.push(await node.dialProtocol(multiaddr(address), PROTOCOL))
    return new BareAsker(streams, async () => await node.stop())
  }

  async ask(): Promise<Uint8Array> {
    const [stream] = [...this.streams].sort((a, b) => a.inFlight - b.inFlight)
    if (!stream) throw new Error('there is no stream')
    stream.inFlight++
    const answer = stream.turn.then(() => stream.frames.read())
    stream.turn = answer
    await stream.frames.write(new Uint8Array(REQUEST_BYTES))
    const bytes = (await answer).subarray()
    stream.inFlight--
    return bytes
  }

  async stop(): Promise<void> {
    await this.stopNode()
  }
}

async function createBare(...listen: string[]) {
  return await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // It cuts a connection whose pings wait behind the chunks.
    connectionMonitor: { enabled: false },
  })
}
