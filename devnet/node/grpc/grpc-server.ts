import { EmptyRequest, ThroughputResponse } from '../../../telemetry/grpc/messages.ts'
import {
  type Conversation,
  MAX_MESSAGE_BYTES,
  type MessageSink,
  type Subscriber,
  tooLarge,
} from '../../../telemetry/grpc/public-service.ts'
import { RpcError, unimplemented } from '../../../telemetry/grpc/rpc-error.ts'
import type { DuplexRpc, StreamRpc, UnaryRpc } from '../../../telemetry/grpc/rpc-names.ts'
import { getBlocks, getOperations, type NodeOperation, searchBlocks } from '../../grpc/block-answers.ts'
import { type DevnetHandlers, startDevnetService, type UnaryAnswer } from '../../grpc/devnet-service.ts'
import { getEndorsements, searchEndorsements } from './endorsement-answers.ts'
import { getEvents } from './event-answers.ts'
import type { NodeModules } from './node-modules.ts'
import { type NewsRpc, NodeStreams } from './node-streams.ts'
import { searchOperations } from './operation-answers.ts'
import { executeReadOnlyCall } from './read-only-call.ts'
import { receiveOperations } from './send-operations.ts'
import { getDatastoreEntries, queryState } from './state-queries.ts'
import { getNextBlockBestParents, getSelectorDraws, getStakers, getStatus } from './status-answers.ts'
import { ThroughputMeter } from './throughput.ts'
import { ThroughputStream } from './throughput-stream.ts'

const HOST = '127.0.0.1'

export interface GrpcServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** False, as a node is shipped, by default: streams open and stay silent for ever. */
  readonly enableBroadcast?: boolean
}

/**
 * Stands between a client and an answer: may give another one, later, or none. Throws RpcError to refuse.
 * `caller` is the address of the connection.
 */
export type GrpcInterceptor = (
  rpc: UnaryRpc,
  request: Uint8Array,
  honest: () => Promise<Uint8Array>,
  caller: string,
) => UnaryAnswer | Promise<UnaryAnswer>

export interface GrpcServer {
  /** host:port, as `grpc_urls` takes it. */
  readonly url: string
  readonly port: number
  /** Streams and conversations that are open. */
  readonly streamCount: number
  /** Ends them, with an error or as if done. */
  dropStreams(error?: RpcError): void
  /** Without one, answers are honest again. */
  intercept(interceptor?: GrpcInterceptor): void
  close(): Promise<void>
}

/**
 * A chain's public gRPC service on loopback, as a massa-node speaks it: messages, limits, codes and texts.
 *
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startGrpcServer(modules: NodeModules, options: GrpcServerOptions = {}): Promise<GrpcServer> {
  const face = new GrpcFace(modules, options.enableBroadcast ?? false)
  const server = await startDevnetService(face, { host: HOST, port: options.port ?? 0 })
  return {
    url: server.url,
    port: server.port,
    get streamCount() {
      return face.streamCount
    },
    dropStreams: (error) => face.dropStreams(error),
    intercept: (interceptor) => {
      face.interceptor = interceptor
    },
    close: async () => {
      face.stop()
      await server.stop()
    },
  }
}

type Answer = (request: Uint8Array) => Uint8Array | Promise<Uint8Array>

class GrpcFace implements DevnetHandlers {
  interceptor: GrpcInterceptor | undefined
  private readonly modules: NodeModules
  private readonly answers: Readonly<Partial<Record<UnaryRpc, Answer>>>
  private readonly streams: NodeStreams
  private readonly meter: ThroughputMeter
  private readonly open = new Set<MessageSink>()

  constructor(modules: NodeModules, enableBroadcast: boolean) {
    this.modules = modules
    this.meter = new ThroughputMeter(modules)
    this.streams = new NodeStreams(modules.chain, { enableBroadcast })
    this.answers = createAnswers(modules, this.meter)
  }

  async answer(rpc: UnaryRpc, request: Uint8Array, caller: string): Promise<UnaryAnswer> {
    const honest = async () => {
      await this.modules.chain.advanceTo(this.modules.clock.nowMs())
      const answer = this.answers[rpc]
      if (!answer) throw unimplemented(`${rpc} is not served here`)
      const message = await answer(request)
      if (message.length > MAX_MESSAGE_BYTES) throw tooLarge('encoded', message.length)
      return message
    }
    return this.interceptor ? this.interceptor(rpc, request, honest, caller) : honest()
  }

  subscribe(rpc: StreamRpc, subscriber: Subscriber): void {
    this.keep(subscriber)
    if (rpc === 'TransactionsThroughputServer') {
      const stream = new ThroughputStream(subscriber, this.meter)
      stream.setInterval(subscriber.request)
      stream.tell()
      return
    }
    this.feedOf(rpc.replace(/Server$/, ''))
      .open(subscriber)
      .setFilters(subscriber.request)
  }

  converse(rpc: DuplexRpc, conversation: Conversation): void {
    if (rpc === 'SendBlocks' || rpc === 'SendEndorsements') throw unimplemented(`${rpc} is not served here`)
    this.keep(conversation)
    if (rpc === 'SendOperations') {
      receiveOperations(conversation, this.modules)
      return
    }
    const follow =
      rpc === 'TransactionsThroughput' ? this.openThroughput(conversation) : this.openNews(rpc, conversation)
    conversation.onRequest((request) => {
      try {
        follow(request)
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        conversation.end(error)
      }
    })
    conversation.onRequestsEnd(() => conversation.end())
  }

  get streamCount(): number {
    return this.open.size
  }

  dropStreams(error?: RpcError): void {
    for (const sink of this.open) sink.end(error)
  }

  stop(): void {
    this.streams.stop()
    this.meter.stop()
    this.dropStreams()
  }

  private openThroughput(conversation: Conversation): (request: Uint8Array) => void {
    const stream = new ThroughputStream(conversation, this.meter)
    stream.setInterval(new Uint8Array(0))
    stream.tell()
    return (request) => stream.setInterval(request)
  }

  private openNews(rpc: string, conversation: Conversation): (request: Uint8Array) => void {
    const feed = this.feedOf(rpc).open(conversation)
    return (request) => feed.setFilters(request)
  }

  private feedOf(rpc: string) {
    const feed = this.streams.feeds[rpc as NewsRpc]
    if (!feed) throw unimplemented(`${rpc} is not served here`)
    return feed
  }

  private keep(sink: MessageSink): void {
    this.open.add(sink)
    sink.onClose(() => this.open.delete(sink))
  }
}

function createAnswers(modules: NodeModules, meter: ThroughputMeter): Partial<Record<UnaryRpc, Answer>> {
  const { chain } = modules
  return {
    ExecuteReadOnlyCall: (request) => executeReadOnlyCall(request, chain),
    GetBlocks: (request) => getBlocks(request, chain),
    GetDatastoreEntries: (request) => getDatastoreEntries(request, chain),
    GetEndorsements: (request) => getEndorsements(request, chain),
    GetNextBlockBestParents: withoutFields(() => getNextBlockBestParents(chain)),
    GetOperations: (request) => getOperations(request, (id) => findOperation(modules, id)),
    GetScExecutionEvents: (request) => getEvents(request, chain),
    GetSelectorDraws: (request) => getSelectorDraws(request, chain),
    GetStakers: (request) => getStakers(request, chain),
    GetStatus: withoutFields(() => getStatus(chain)),
    GetTransactionsThroughput: withoutFields(() => ThroughputResponse.encode({ throughput: meter.perSecond() })),
    QueryState: (request) => queryState(request, chain),
    SearchBlocks: (request) => searchBlocks(request, chain),
    SearchEndorsements: (request) => searchEndorsements(request, chain),
    SearchOperations: (request) => searchOperations(request, chain),
  }
}

/** Requests that say nothing are read all the same. */
function withoutFields(answer: () => Uint8Array): Answer {
  return (request) => {
    EmptyRequest.read(request)
    return answer()
  }
}

function findOperation({ chain }: NodeModules, id: string): NodeOperation | undefined {
  const known = chain.operations.get(id)
  return known && { message: known.message, thread: known.thread, blockIds: known.inBlocks }
}
