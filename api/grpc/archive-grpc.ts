import { type ServerInterceptor, status } from '@grpc/grpc-js'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { GRPC_CLIENT_LIMITS } from '../../telemetry/grpc/client-limits.ts'
import {
  type Conversation,
  type MessageSink,
  type PublicServiceHandlers,
  type PublicServiceServer,
  type Subscriber,
  startPublicService,
} from '../../telemetry/grpc/public-service.ts'
import { internalError, RpcError, unimplemented } from '../../telemetry/grpc/rpc-error.ts'
import type { DuplexRpc, StreamRpc, UnaryRpc } from '../../telemetry/grpc/rpc-names.ts'
import type { ServiceBounds } from '../../telemetry/grpc/service-bounds.ts'
import type { ArchiveIdentity, History } from '../json-rpc/archive-context.ts'
import { CallGate } from '../json-rpc/call-gate.ts'
import { RecentHistory } from '../json-rpc/recent-counts.ts'
import type { RateLimit } from '../rate-limit.ts'
import { ARCHIVE_CALLS, type GrpcContext } from './archive-calls.ts'
import { FinalStream, type Wanted } from './final-stream.ts'
import { limitCalls } from './limit-calls.ts'
import { ARCHIVE_STREAMS, type ArchiveStream } from './stream-requests.ts'

/** Each may have blocks of 0.5 MB in memory, and an answer. */
const READS = { running: 4, waiting: 256 }
/** Of all clients: each keeps 256 KiB and a message on their way. */
const MAX_STREAMS = 64
/** For answers that are nearly there, and for streams to say that they end. */
const STOP_MS = 1_000
/** Requests within a node's limits have half of that; its own bound is 50 MiB. */
const BOUNDS: ServiceBounds = {
  calls: 256,
  requestBytes: 1024 * 1024,
  answerBytes: 256 * 1024 * 1024,
  unreadMs: 30_000,
}

export interface ArchiveGrpcModules {
  readonly history: History
  readonly identity: ArchiveIdentity
  readonly nowMs: () => number
  readonly sleep: (durationMs: number, signal: AbortSignal) => Promise<void>
  /** Absent: anybody may call as often as he likes. */
  readonly rates?: RateLimit | undefined
}

/**
 * Final history in the public gRPC service of a massa-node: its messages, limits, codes and texts (docs/ARCHIVE_GRPC.md).
 *
 * @param bind - port 0 takes a free one
 * @throws ArchiveError API_BIND_FAILED
 */
export async function startArchiveGrpc(
  modules: ArchiveGrpcModules,
  bind: { readonly host: string; readonly port: number },
  bounds = BOUNDS,
): Promise<PublicServiceServer> {
  const service = new ArchiveService(modules)
  const admit = modules.rates && limitCalls(modules.rates)
  const server = await listen(service, bind, { bounds, admit })
  return {
    url: server.url,
    port: server.port,
    stop: async () => {
      const idle = service.stop()
      await server.stop(STOP_MS)
      await idle
    },
  }
}

async function listen(
  service: ArchiveService,
  bind: { host: string; port: number },
  guards: { readonly bounds: ServiceBounds; readonly admit: ServerInterceptor | undefined },
) {
  try {
    return await startPublicService(service, { ...bind, limits: GRPC_CLIENT_LIMITS, ...guards })
  } catch (cause) {
    const address = `${bind.host}:${bind.port}`
    throw new ArchiveError('API_BIND_FAILED', `cannot listen on ${address}`, { address }, cause)
  }
}

class ArchiveService implements PublicServiceHandlers {
  private readonly modules: ArchiveGrpcModules
  private readonly context: GrpcContext
  private readonly gate = new CallGate(READS, () => new RpcError(status.RESOURCE_EXHAUSTED, 'too many calls wait'))
  private readonly streams = new Map<MessageSink, FinalStream>()

  constructor(modules: ArchiveGrpcModules) {
    this.modules = modules
    this.context = { ...modules, recent: new RecentHistory(modules.history) }
  }

  answer(rpc: UnaryRpc, request: Uint8Array, _caller: string, gone: AbortSignal): Promise<Uint8Array> {
    return this.gate.run(async () => {
      const answer = ARCHIVE_CALLS[rpc]
      if (!answer) throw notHere(rpc)
      try {
        gone.throwIfAborted()
        return await answer(request, this.context, gone)
      } catch (error) {
        throw translate(error)
      }
    })
  }

  subscribe(rpc: StreamRpc, subscriber: Subscriber): void {
    const wanted = this.readRequest(rpc.replace(/Server$/, ''), rpc)(subscriber.request)
    this.open(subscriber).follow(wanted)
  }

  converse(rpc: DuplexRpc, conversation: Conversation): void {
    const read = this.readRequest(rpc, rpc)
    const stream = this.open(conversation)
    conversation.onRequest((request) => {
      try {
        stream.follow(read(request))
      } catch (error) {
        conversation.end(translate(error))
      }
    })
    conversation.onRequestsEnd(() => conversation.end())
  }

  /** Ends all streams. Resolves when they read no more. */
  async stop(): Promise<void> {
    const streams = [...this.streams]
    for (const [sink] of streams) sink.end(new RpcError(status.UNAVAILABLE, 'this archive is being stopped'))
    for (const [, stream] of streams) await stream.idle()
  }

  private readRequest(name: string, rpc: StreamRpc | DuplexRpc): (request: Uint8Array) => Wanted {
    if (!Object.hasOwn(ARCHIVE_STREAMS, name)) throw notHere(rpc)
    return (request) => ARCHIVE_STREAMS[name as ArchiveStream](request, this.modules.history)
  }

  private open(sink: MessageSink): FinalStream {
    if (this.streams.size >= MAX_STREAMS) {
      throw new RpcError(status.RESOURCE_EXHAUSTED, `${MAX_STREAMS} streams are open: try again later`)
    }
    const stream = new FinalStream(
      {
        history: this.modules.history,
        run: (work) => this.gate.run(work),
        sleep: this.modules.sleep,
        translate,
      },
      sink,
    )
    this.streams.set(sink, stream)
    sink.onClose(() => this.streams.delete(sink))
    return stream
  }
}

/** What this is, to who asks for something else. */
function notHere(rpc: string): RpcError {
  const answered = [
    ...Object.keys(ARCHIVE_CALLS),
    ...Object.keys(ARCHIVE_STREAMS).flatMap((name) => [name, `${name}Server`]),
  ]
  return unimplemented(
    `${rpc} is not answered here: this is an archive of final history, which answers ${answered.join(', ')}`,
  )
}

/** What is on disk and cannot be read is no fault of who asks; where it is, is for the operator. */
function translate(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  return internalError(isArchiveError(error) ? error.code : 'the call was broken off')
}
