import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { ArchiveError } from '../../core/index.ts'

const SERVICE_PATH = '/massa.api.v1.PublicService'
/** As the archiver's own limit: a massa-node stops at 50 MiB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/** What a stalled unary answer says of its length, and how often one more byte of it comes. */
const DRIP_ANSWER_BYTES = 1024 * 1024
const DRIP_INTERVAL_MS = 20

export const UNARY_RPCS = [
  'GetStatus',
  'SearchBlocks',
  'GetBlocks',
  'GetOperations',
  'QueryState',
  'GetScExecutionEvents',
] as const
export const STREAM_RPCS = ['NewFilledBlocksServer', 'NewSlotExecutionOutputsServer'] as const
export type UnaryRpc = (typeof UNARY_RPCS)[number]
export type StreamRpc = (typeof STREAM_RPCS)[number]

/** What a call ends with instead of an answer: a gRPC code and its text. */
export class RpcError extends Error {
  readonly code: number
  readonly details: string

  constructor(code: number, details: string) {
    super(details)
    this.name = 'RpcError'
    this.code = code
    this.details = details
  }
}

/** `hang` never answers; `drip` announces an answer and sends it a byte at a time. */
export type UnaryAnswer = Uint8Array | 'hang' | 'drip'

/** The client's end of a stream. */
export interface Subscriber {
  readonly request: Uint8Array
  readonly closed: boolean
  /** False when the client does not take it up as fast as it is written. */
  write(message: Uint8Array): boolean
  /** Resolves when all that was written has left, or the stream is closed. */
  drained(): Promise<void>
  end(error?: RpcError): void
}

export interface PublicServiceHandlers {
  /** Throws RpcError to refuse. */
  answer(rpc: UnaryRpc, request: Uint8Array): UnaryAnswer | Promise<UnaryAnswer>
  subscribe(rpc: StreamRpc, subscriber: Subscriber): void
}

export interface PublicServiceServer {
  /** host:port, as `grpc_urls` takes it. */
  readonly url: string
  readonly port: number
  /** Breaks off what is under way. Idempotent. */
  stop(): Promise<void>
}

/**
 * Serves the part of a massa-node's public gRPC service that the sidecar uses, messages as bytes. All other calls
 * get UNIMPLEMENTED.
 *
 * @param address - `port` 0 takes any free one
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startPublicService(
  handlers: PublicServiceHandlers,
  address: { readonly host: string; readonly port: number },
): Promise<PublicServiceServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
  })
  const definition: Record<string, ServiceDefinition[string]> = {}
  const implementation: UntypedServiceImplementation = {}
  for (const rpc of UNARY_RPCS) {
    definition[rpc] = describeRpc(rpc, false)
    implementation[rpc] = (call: ServerUnaryCall<Buffer, Buffer>, done: UnaryCallback) => {
      void answerUnary(handlers, rpc, call, done)
    }
  }
  for (const rpc of STREAM_RPCS) {
    definition[rpc] = describeRpc(rpc, true)
    implementation[rpc] = (call: ServerWritableStream<Buffer, Buffer>) => {
      // A node answers with headers at once, also when nothing will ever follow.
      call.sendMetadata(new Metadata())
      handlers.subscribe(rpc, new StreamSubscriber(call))
    }
  }
  server.addService(definition, implementation)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address.host}:${address.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) {
        const text = `cannot listen on ${address.host}:${address.port}: ${error.message}`
        reject(new ArchiveError('DEVNET_LISTEN_FAILED', text, { ...address }, error))
      } else resolve(bound)
    })
  })
  return {
    url: `${address.host}:${port}`,
    port,
    stop: async () => server.forceShutdown(),
  }
}

type UnaryCallback = (error: { code: number; details: string } | null, answer?: Buffer) => void

async function answerUnary(
  handlers: PublicServiceHandlers,
  rpc: UnaryRpc,
  call: ServerUnaryCall<Buffer, Buffer>,
  done: UnaryCallback,
): Promise<void> {
  try {
    const answer = await handlers.answer(rpc, call.request)
    if (answer === 'drip') dripAnswer(call)
    else if (answer !== 'hang') done(null, Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength))
  } catch (error) {
    if (error instanceof RpcError) done({ code: error.code, details: error.details })
    else done({ code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) })
  }
}

interface Http2Answer {
  readonly writable: boolean
  write(bytes: Uint8Array): boolean
  once(event: 'close', listener: () => void): void
}

/** grpc-js only sends whole messages, so a half-sent one is written to the HTTP/2 stream under it. */
function dripAnswer(call: ServerUnaryCall<Buffer, Buffer>): void {
  const { stream } = (call as unknown as { call: { stream: Http2Answer } }).call
  call.sendMetadata(new Metadata())
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(DRIP_ANSWER_BYTES, 1)
  stream.write(prefix)
  const timer = setInterval(() => stream.writable && stream.write(Buffer.alloc(1)), DRIP_INTERVAL_MS)
  stream.once('close', () => clearInterval(timer))
}

class StreamSubscriber implements Subscriber {
  readonly request: Uint8Array
  private readonly call: ServerWritableStream<Buffer, Buffer>
  private ended = false

  constructor(call: ServerWritableStream<Buffer, Buffer>) {
    this.call = call
    this.request = call.request
    call.once('cancelled', () => {
      this.ended = true
    })
  }

  get closed(): boolean {
    return this.ended || this.call.cancelled || this.call.destroyed
  }

  write(message: Uint8Array): boolean {
    if (this.closed) return true
    return this.call.write(Buffer.from(message.buffer, message.byteOffset, message.byteLength))
  }

  async drained(): Promise<void> {
    // The stream itself knows: it may have drained while nobody listened, and says so only once.
    if (this.closed || !this.call.writableNeedDrain) return
    const events = ['drain', 'cancelled', 'close'] as const
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of events) this.call.removeListener(event, done)
        resolve()
      }
      for (const event of events) this.call.on(event, done)
    })
  }

  end(error?: RpcError): void {
    if (this.closed) return
    this.ended = true
    if (error) this.call.emit('error', { code: error.code, details: error.details })
    else this.call.end()
  }
}

function describeRpc(rpc: string, responseStream: boolean): ServiceDefinition[string] {
  const identity = (bytes: Buffer) => bytes
  return {
    path: `${SERVICE_PATH}/${rpc}`,
    requestStream: false,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  }
}
