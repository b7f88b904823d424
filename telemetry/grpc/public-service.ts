import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { endSlowRequests, GRPC_CLIENT_LIMITS, type GrpcClientLimits } from './client-limits.ts'
import { findHttp2Stream } from './http2-stream.ts'
import { OPTIONAL_REQUESTS } from './messages.ts'
import { OutgoingMessages } from './outgoing-messages.ts'
import { internalError, RpcError, unimplemented } from './rpc-error.ts'
import {
  DUPLEX_RPCS,
  type DuplexRpc,
  FEATURE_MISSING,
  isOptionalRpc,
  STREAM_RPCS,
  type StreamRpc,
  UNARY_RPCS,
  type UnaryRpc,
} from './rpc-names.ts'
import { AnswerBudget, boundCalls, endUnread, type ServiceBounds } from './service-bounds.ts'

const SERVICE_PATH = '/massa.api.v1.PublicService'
/** Of a massa-node, both ways (`[grpc.public] max_decoding_message_size`, `max_encoding_message_size`). */
export const MAX_MESSAGE_BYTES = 52_428_800
/** Calls at a time on one connection (`max_concurrent_streams`). */
const MAX_CONCURRENT_STREAMS = 100

/** Answers a call by itself, or not at all. */
export type TakeCall = (call: ServerUnaryCall<Buffer, Buffer>) => void

/** Where messages to a client go. */
export interface MessageSink {
  readonly closed: boolean
  /** False when the client does not take it up as fast as it is written. */
  write(message: Uint8Array): boolean
  /**
   * Resolves when there is room for more, or the stream is closed: who waits for it keeps little in memory for a client
   * that does not read. One at a time.
   */
  send(message: Uint8Array): Promise<void>
  /** Resolves when all that was written has left, or the stream is closed. */
  drained(): Promise<void>
  /** Called once, when nothing can be sent any more. */
  onClose(listener: () => void): void
  end(error?: RpcError): void
}

/** The client's end of a stream. */
export interface Subscriber extends MessageSink {
  readonly request: Uint8Array
}

/** A client that goes on sending. */
export interface Conversation extends MessageSink {
  /** The next message is read when the listener's promise resolves. */
  onRequest(listener: (request: Uint8Array) => void | Promise<void>): void
  /** Called when the client has sent its last message. */
  onRequestsEnd(listener: () => void): void
}

export interface PublicServiceHandlers {
  /**
   * Throws RpcError to refuse.
   *
   * @param caller - address of the connection that asks
   * @param gone - aborted when nobody waits for the answer any more
   */
  answer(
    rpc: UnaryRpc,
    request: Uint8Array,
    caller: string,
    gone: AbortSignal,
  ): Uint8Array | TakeCall | Promise<Uint8Array | TakeCall>
  /** Throws RpcError to refuse. */
  subscribe(rpc: StreamRpc, subscriber: Subscriber): void
  /** Without it these calls are unimplemented. Throws RpcError to refuse. */
  converse?(rpc: DuplexRpc, conversation: Conversation): void
}

export interface PublicServiceServer {
  /** host:port, as `grpc_urls` takes it. */
  readonly url: string
  readonly port: number
  /** Breaks off what is under way. Idempotent. @param graceMs - in which calls may still end by themselves */
  stop(graceMs?: number): Promise<void>
}

/**
 * Serves the public gRPC service of a massa-node, messages as bytes. Calls that a node must be built for are refused
 * as it refuses them.
 *
 * @param options - `port` 0 takes any free one
 * @throws Error when nobody can listen there
 */
export async function startPublicService(
  handlers: PublicServiceHandlers,
  options: {
    readonly host: string
    readonly port: number
    readonly limits?: GrpcClientLimits
    readonly bounds?: ServiceBounds
    /** Sees each call before anything of it is read. */
    readonly admit?: ServerInterceptor | undefined
  },
): Promise<PublicServiceServer> {
  const { limits = GRPC_CLIENT_LIMITS, bounds, admit, ...address } = options
  const requestBytes = bounds?.requestBytes ?? MAX_MESSAGE_BYTES
  const server = new Server({
    'grpc.max_receive_message_length': requestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
    'grpc.keepalive_time_ms': limits.pingMs,
    'grpc.keepalive_timeout_ms': limits.pongMs,
    interceptors: [
      sayTooLargeAsNode(requestBytes),
      ...(bounds ? [boundCalls(bounds.calls)] : []),
      ...(admit ? [admit] : []),
      endSlowRequests(limits.requestMs),
    ],
  })
  server.addService(...describeService(handlers, bounds))
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address.host}:${address.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error)
      else resolve(bound)
    })
  })
  return {
    url: `${address.host}:${port}`,
    port,
    stop: async (graceMs = 0) => {
      if (graceMs > 0) await endCalls(server, graceMs)
      server.forceShutdown()
    },
  }
}

function endCalls(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, graceMs)
    server.tryShutdown(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function describeService(
  handlers: PublicServiceHandlers,
  bounds: ServiceBounds | undefined,
): [ServiceDefinition, UntypedServiceImplementation] {
  const send = bounds ? sendWithin(bounds) : sendAnswer
  const definition: Record<string, ServiceDefinition[string]> = {}
  const implementation: UntypedServiceImplementation = {}
  for (const rpc of UNARY_RPCS) {
    definition[rpc] = describeRpc(rpc, { requestStream: false, responseStream: false })
    implementation[rpc] = (call: ServerUnaryCall<Buffer, Buffer>, done: UnaryCallback) => {
      void answerUnary(handlers, rpc, { call, done, send })
    }
  }
  for (const rpc of STREAM_RPCS) {
    definition[rpc] = describeRpc(rpc, { requestStream: false, responseStream: true })
    const serve: handleServerStreamingCall<Buffer, Buffer> = (call) => {
      const subscriber = Object.assign(new OutgoingMessages(call, bounds?.unreadMs), { request: call.request })
      open(rpc, subscriber, () => handlers.subscribe(rpc, subscriber))
    }
    implementation[rpc] = serve
  }
  for (const rpc of DUPLEX_RPCS) {
    definition[rpc] = describeRpc(rpc, { requestStream: true, responseStream: true })
    const serve: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
      const conversation = Object.assign(new OutgoingMessages(call, bounds?.unreadMs), {
        onRequest: (listener: (request: Uint8Array) => void | Promise<void>) => {
          call.on('data', (request: Buffer) => {
            call.pause()
            void Promise.resolve(listener(request)).finally(() => call.resume())
          })
        },
        onRequestsEnd: (listener: () => void) => void call.once('end', listener),
      })
      open(rpc, conversation, () => {
        if (!handlers.converse) throw unimplemented(`${rpc} is not served here`)
        handlers.converse(rpc, conversation)
      })
    }
    implementation[rpc] = serve
  }
  return [definition, implementation]
}

/** A node answers with headers at once, also when nothing will ever follow. */
function open(rpc: StreamRpc | DuplexRpc, stream: MessageSink & { sendHeaders(): void }, serve: () => void): void {
  try {
    if (isOptionalRpc(rpc)) throw unimplemented(FEATURE_MISSING)
    serve()
  } catch (error) {
    stream.end(error instanceof RpcError ? error : internalError(describe(error)))
    return
  }
  stream.sendHeaders()
}

function isOptionalUnary(rpc: UnaryRpc): rpc is keyof typeof OPTIONAL_REQUESTS {
  return rpc in OPTIONAL_REQUESTS
}

type UnaryCallback = (error: { code: number; details: string } | null, answer?: Buffer) => void

type SendAnswer = (answer: Uint8Array, call: ServerUnaryCall<Buffer, Buffer>, done: UnaryCallback) => void

const sendAnswer: SendAnswer = (answer, _call, done) => {
  done(null, Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength))
}

function sendWithin(bounds: ServiceBounds): SendAnswer {
  const budget = new AnswerBudget(bounds.answerBytes)
  return (answer, call, done) => {
    const stream = findHttp2Stream(call)
    budget.hold(answer.length, stream)
    stream.once('close', endUnread(stream, answer.length, bounds.unreadMs))
    sendAnswer(answer, call, done)
  }
}

async function answerUnary(
  handlers: PublicServiceHandlers,
  rpc: UnaryRpc,
  {
    call,
    done,
    send,
  }: {
    readonly call: ServerUnaryCall<Buffer, Buffer>
    readonly done: UnaryCallback
    readonly send: SendAnswer
  },
): Promise<void> {
  const gone = new AbortController()
  call.once('cancelled', () => gone.abort())
  try {
    if (isOptionalUnary(rpc)) {
      OPTIONAL_REQUESTS[rpc].read(call.request)
      throw unimplemented(FEATURE_MISSING)
    }
    const answer = await handlers.answer(rpc, call.request, call.getPeer(), gone.signal)
    if (answer instanceof Uint8Array) send(answer, call, done)
    else answer(call)
  } catch (error) {
    if (error instanceof RpcError) done({ code: error.code, details: error.details })
    else done({ code: status.INTERNAL, details: describe(error) })
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a node says of a message over its limit, that it got or would send. */
export function tooLarge(what: 'encoded' | 'decoded', sizeBytes: number, mostBytes = MAX_MESSAGE_BYTES): RpcError {
  const text = `Error, ${what} message length too large: found ${sizeBytes} bytes, the limit is: ${mostBytes} bytes`
  return new RpcError(status.OUT_OF_RANGE, text)
}

/** grpc-js refuses a message by its announced length, before it is read, but with another code and text. */
const sayTooLargeAsNode =
  (mostBytes: number): ServerInterceptor =>
  (_method, call) => {
    const sendStatus = call.sendStatus.bind(call)
    call.sendStatus = (partial) => {
      const size = /^Received message larger than max \((\d+) vs/.exec(partial.details ?? '')?.[1]
      if (size === undefined) return sendStatus(partial)
      const { code, details } = tooLarge('decoded', Number(size), mostBytes)
      sendStatus({ ...partial, code, details })
    }
    return new ServerInterceptingCall(call)
  }

function describeRpc(
  rpc: string,
  streams: { readonly requestStream: boolean; readonly responseStream: boolean },
): ServiceDefinition[string] {
  const identity = (bytes: Buffer) => bytes
  return {
    path: `${SERVICE_PATH}/${rpc}`,
    ...streams,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  }
}
