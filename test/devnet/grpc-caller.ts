import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js'
import {
  GetBlocksRequestCodec,
  GetBlocksResponseCodec,
  GetStatusResponseCodec,
  SearchBlocksRequestCodec,
  SearchBlocksResponseCodec,
  type Slot,
  slotFromProtobuf,
  slotToProtobuf,
} from '../../core/index.ts'

const SERVICE = '/massa.api.v1.PublicService/'

/** A bare gRPC client that sends and gets bytes, so that answers can be compared with recorded ones. */
export class GrpcCaller {
  private readonly client: Client

  constructor(url: string) {
    this.client = new Client(url, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.max_send_message_length': -1,
      // A connection of its own: grpc-js lets clients of one process share theirs.
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  call(rpc: string, request: Uint8Array = new Uint8Array(0), deadlineMs = 10_000): Promise<Buffer> {
    const same = (bytes: Buffer) => bytes
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadlineMs }
      this.client.makeUnaryRequest(SERVICE + rpc, same, same, Buffer.from(request), options, (error, answer) => {
        if (error) reject(error)
        else resolve(answer ?? Buffer.alloc(0))
      })
    })
  }

  open(rpc: string, request: Uint8Array = new Uint8Array(0)): ClientReadableStream<Buffer> {
    const same = (bytes: Buffer) => bytes
    return this.client.makeServerStreamRequest(SERVICE + rpc, same, same, Buffer.from(request))
  }

  converse(rpc: string): ClientDuplexStream<Buffer, Buffer> {
    const same = (bytes: Buffer) => bytes
    return this.client.makeBidiStreamRequest(SERVICE + rpc, same, same)
  }

  /** Calls on the same connection until nothing has come for a while: what the server had for it is there. */
  async settle(count: () => number): Promise<void> {
    for (let quiet = 0, last = count(); quiet < 8; quiet++) {
      await this.call('GetStatus')
      if (count() === last) continue
      last = count()
      quiet = 0
    }
  }

  async refusal(rpc: string, request: Uint8Array): Promise<{ code: number; details: string }> {
    try {
      await this.call(rpc, request)
    } catch (error) {
      const { code, details } = error as ServiceError
      return { code, details }
    }
    throw new Error(`${rpc} was answered`)
  }

  async finalSlot(): Promise<Slot> {
    return slotFromProtobuf(GetStatusResponseCodec.decode(await this.call('GetStatus')).status?.lastExecutedFinalSlot)
  }

  async search(from: Slot, to: Slot): Promise<Map<string, number>> {
    const range = { startSlot: slotToProtobuf(from), endSlot: slotToProtobuf(to) }
    const answer = await this.call('SearchBlocks', SearchBlocksRequestCodec.encode({ filters: [{ slotRange: range }] }))
    const infos = SearchBlocksResponseCodec.decode(answer).blockInfos ?? []
    return new Map(infos.map((info) => [info.blockId ?? '', info.status ?? 0]))
  }

  async countBlocks(blockIds: string[]): Promise<number> {
    const answer = await this.call('GetBlocks', GetBlocksRequestCodec.encode({ blockIds }))
    return (GetBlocksResponseCodec.decode(answer).wrappedBlocks ?? []).length
  }

  close(): void {
    this.client.close()
  }
}

/** Resolves when so many messages came; the stream stays open. */
export function readMessages(stream: ClientReadableStream<Buffer>, count: number): Promise<void> {
  let unread = count
  return new Promise((resolve) => {
    stream.on('data', () => {
      unread--
      if (unread === 0) resolve()
    })
  })
}
