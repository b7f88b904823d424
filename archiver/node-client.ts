import { Client, type ClientReadableStream, credentials, status as grpcStatus, type ServiceError } from '@grpc/grpc-js'
import {
  ArchiveError,
  BLOCK_STATUS_FINAL,
  type BlockIdText,
  EXECUTION_STATUS_FINAL,
  fromU64,
  GetBlocksRequestCodec,
  GetBlocksResponseCodec,
  GetOperationsRequestCodec,
  GetOperationsResponseCodec,
  GetScExecutionEventsRequestCodec,
  GetScExecutionEventsResponseCodec,
  GetStatusRequestCodec,
  GetStatusResponseCodec,
  MAX_BLOCK_OPERATIONS,
  type MessageCodec,
  type Network,
  NewFilledBlocksRequestCodec,
  NewSlotExecutionOutputsRequestCodec,
  QueryStateRequestCodec,
  QueryStateResponseCodec,
  type ScExecutionEventMessage,
  SearchBlocksRequestCodec,
  SearchBlocksResponseCodec,
  SecureHashCodec,
  type Slot,
  slotFromProtobuf,
  slotToProtobuf,
} from '../core/index.ts'
import { askInParts, CallSize } from './ask-in-parts.ts'
import {
  type DatastoreAnswers,
  type DatastoreQuery,
  QUERIES_PER_CALL,
  readStateAnswer,
  toStateQuery,
} from './datastore-queries.ts'
import { exceedsEntries } from './entry-limit.ts'

const SERVICE = '/massa.api.v1.PublicService/'
/** The node sends up to 50 MiB (facts: massa-node 1.3); grpc-js alone would stop at 4 MB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/** Entries of an answer; a node shows some thousand blocks or events at most. */
const MAX_ENTRIES = 100_000
/** Limits of the node (facts: massa-node 1.3). */
const BLOCKS_PER_CALL = 50
const OPERATIONS_PER_CALL = 250
/** responses, result, vec_bytes of a QueryStateResponse. */
const KEYS_OF_ANSWERS = [4, 1, 5]

export interface NodeStatus {
  readonly network: Network
  readonly threadCount: number
  readonly version: string
  readonly currentTimeMs: number
  readonly lastFinalSlot: Slot
}

export interface BlockInfo {
  readonly id: BlockIdText
  readonly final: boolean
}

/** A block as the pull path gets it: untouched header bytes, ids of its operations. */
export interface PulledBlock {
  readonly id: BlockIdText
  readonly final: boolean
  readonly header: Uint8Array
  readonly operationIds: readonly string[]
}

export type OperationOutcome = 'success' | 'failed' | 'unknown'

/** One massa-node's public gRPC service: typed calls, each with a deadline and bounded answers. */
export class NodeClient {
  readonly url: string
  private readonly client: Client
  private readonly timeoutMs: number
  private readonly onCall: (rpc: string, result: string) => void
  private readonly underWay = new Set<{ cancel(): void }>()
  private readonly blocksPerCall: CallSize
  private readonly operationsPerCall: CallSize
  private closed = false

  constructor(options: {
    readonly url: string
    readonly timeoutMs: number
    readonly onCall?: (rpc: string, result: string) => void
  }) {
    this.url = options.url
    this.timeoutMs = options.timeoutMs
    this.blocksPerCall = new CallSize(BLOCKS_PER_CALL, options.timeoutMs)
    this.operationsPerCall = new CallSize(OPERATIONS_PER_CALL, options.timeoutMs)
    this.onCall = options.onCall ?? (() => {})
    this.client = new Client(options.url, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      // The node never pings: without ours a dead connection looks like an idle chain.
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.initial_reconnect_backoff_ms': 500,
      'grpc.max_reconnect_backoff_ms': 5_000,
      // Nodes are asked by address: no proxy of the environment, no service config from DNS.
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
    })
  }

  async getStatus(): Promise<NodeStatus> {
    const answer = await this.call('GetStatus', GetStatusRequestCodec, GetStatusResponseCodec, {})
    const status = answer.status
    if (!status?.config?.genesisTimestamp || !status.lastExecutedFinalSlot) {
      throw this.unfit('GetStatus', 'its status has no genesis timestamp or final slot')
    }
    return {
      network: {
        chainId: fromU64(status.chainId),
        genesisTimestampMs: fromU64(status.config.genesisTimestamp.milliseconds),
      },
      threadCount: status.config.threadCount ?? 0,
      version: (status.version ?? '').slice(0, 64),
      currentTimeMs: Number(fromU64(status.currentTime?.milliseconds)),
      lastFinalSlot: slotFromProtobuf(status.lastExecutedFinalSlot),
    }
  }

  /** Blocks of slots [from, to) that the node still holds. */
  async searchBlocks(from: Slot, to: Slot): Promise<BlockInfo[]> {
    const answer = await this.call('SearchBlocks', SearchBlocksRequestCodec, SearchBlocksResponseCodec, {
      filters: [{ slotRange: { startSlot: slotToProtobuf(from), endSlot: slotToProtobuf(to) } }],
    })
    return (answer.blockInfos ?? []).map((info) => ({
      id: (info.blockId ?? '') as BlockIdText,
      final: info.status === BLOCK_STATUS_FINAL,
    }))
  }

  /** Blocks by id, those of each call as it is answered; blocks that the node does not hold are left out. */
  async *getBlocks(ids: readonly BlockIdText[]): AsyncGenerator<PulledBlock[]> {
    const wanted = new Set<string>(ids)
    const ask = (blockIds: BlockIdText[]) =>
      this.call('GetBlocks', GetBlocksRequestCodec, GetBlocksResponseCodec, { blockIds })
    for await (const answer of askInParts(ids, this.blocksPerCall, ask)) {
      const blocks: PulledBlock[] = []
      for (const wrapper of answer.wrappedBlocks ?? []) {
        const header = wrapper.block?.header
        if (!header) continue
        const id = this.readSecureHash(header)
        if (!wanted.has(id)) continue
        const operationIds = wrapper.block?.operations ?? []
        if (operationIds.length > MAX_BLOCK_OPERATIONS) continue
        blocks.push({ id: id as BlockIdText, final: wrapper.status === BLOCK_STATUS_FINAL, header, operationIds })
      }
      yield blocks
    }
  }

  /** Signed operations by id, raw; those that the node does not hold are left out. */
  async getOperations(ids: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>()
    const ask = (operationIds: string[]) =>
      this.call('GetOperations', GetOperationsRequestCodec, GetOperationsResponseCodec, { operationIds })
    for await (const answer of askInParts(ids, this.operationsPerCall, ask)) {
      for (const { operation } of answer.wrappedOperations ?? []) {
        if (operation) found.set(this.readSecureHash(operation), operation)
      }
    }
    return found
  }

  /** Final outcome of operations; `unknown` when the node no longer or not yet knows. */
  async queryOutcomes(ids: readonly string[]): Promise<Map<string, OperationOutcome>> {
    const outcomes = new Map<string, OperationOutcome>()
    for (let i = 0; i < ids.length; i += QUERIES_PER_CALL) {
      const part = ids.slice(i, i + QUERIES_PER_CALL)
      const answer = await this.call('QueryState', QueryStateRequestCodec, QueryStateResponseCodec, {
        queries: part.map((operationId) => ({ opExecutionStatusFinal: { operationId } })),
      })
      for (const [j, id] of part.entries()) {
        const code = answer.responses?.[j]?.result?.executionStatus
        outcomes.set(id, code === 1 ? 'success' : code === 2 ? 'failed' : 'unknown')
      }
    }
    return outcomes
  }

  /** Entries of an address' final datastore, all of one height; at most `QUERIES_PER_CALL` queries. */
  async queryDatastore(address: string, queries: readonly DatastoreQuery[]): Promise<DatastoreAnswers> {
    const { finalCursor, responses = [] } = await this.call(
      'QueryState',
      QueryStateRequestCodec,
      QueryStateResponseCodec,
      { queries: queries.map((query) => toStateQuery(address, query)) },
      KEYS_OF_ANSWERS,
    )
    if (!finalCursor || responses.length !== queries.length) {
      throw this.unfit('QueryState', `${responses.length} answers to ${queries.length} queries, or no final slot`)
    }
    return {
      slot: slotFromProtobuf(finalCursor),
      answers: queries.map((query, i) => readStateAnswer(query, responses[i] ?? {})),
    }
  }

  /** Final events of slots [from, to), at most 7,000. */
  async getEvents(from: Slot, to: Slot): Promise<ScExecutionEventMessage[]> {
    const answer = await this.call(
      'GetScExecutionEvents',
      GetScExecutionEventsRequestCodec,
      GetScExecutionEventsResponseCodec,
      {
        filters: [{ slotRange: { startSlot: slotToProtobuf(from), endSlot: slotToProtobuf(to) } }, { status: 1 }],
      },
    )
    return answer.events ?? []
  }

  /** Stream of blocks as the node receives them: final or not. */
  openFilledBlocks(): ClientReadableStream<Buffer> {
    return this.openStream('NewFilledBlocksServer', NewFilledBlocksRequestCodec.encode({}))
  }

  /** Stream of execution outputs of final slots, one per slot. */
  openFinalOutputs(): ClientReadableStream<Buffer> {
    const request = { filters: [{ status: EXECUTION_STATUS_FINAL }] }
    return this.openStream('NewSlotExecutionOutputsServer', NewSlotExecutionOutputsRequestCodec.encode(request))
  }

  /** Ends what is under way: calls reject, streams end. */
  close(): void {
    this.closed = true
    for (const call of this.underWay) call.cancel()
    this.client.close()
  }

  private openStream(rpc: string, request: Uint8Array): ClientReadableStream<Buffer> {
    const stream = this.client.makeServerStreamRequest<Buffer, Buffer>(
      SERVICE + rpc,
      (bytes) => bytes,
      (bytes) => bytes,
      Buffer.from(request),
    )
    // A stream that its reader has left still ends with an error: without a listener it would end the process.
    stream.on('error', () => {})
    this.underWay.add(stream)
    stream.once('close', () => this.underWay.delete(stream))
    return stream
  }

  /** @param inner where else many entries can be, as field numbers */
  private async call<Q, A>(
    rpc: string,
    request: MessageCodec<Q>,
    answer: MessageCodec<A>,
    message: Q,
    inner?: readonly number[],
  ): Promise<A> {
    const bytes = await this.callRaw(rpc, Buffer.from(request.encode(message)))
    if (exceedsEntries(bytes, MAX_ENTRIES) || (inner && exceedsEntries(bytes, MAX_ENTRIES, inner))) {
      this.onCall(rpc, 'unparsable')
      throw this.unfit(rpc, 'its answer is not protobuf, or has too many entries')
    }
    try {
      const decoded = answer.decode(bytes)
      this.onCall(rpc, 'ok')
      return decoded
    } catch (cause) {
      this.onCall(rpc, 'unparsable')
      throw this.unfit(rpc, 'its answer is not protobuf', cause)
    }
  }

  private callRaw(rpc: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new ArchiveError('ARCHIVER_NODE_UNREACHABLE', `${rpc} of ${this.url}: the client is closed`))
        return
      }
      const call = this.client.makeUnaryRequest<Buffer, Buffer>(
        SERVICE + rpc,
        (bytes) => bytes,
        (bytes) => bytes,
        request,
        { deadline: Date.now() + this.timeoutMs },
        (error, value) => {
          this.underWay.delete(call)
          if (error) {
            this.onCall(rpc, grpcStatus[error.code]?.toLowerCase() ?? 'error')
            reject(this.wrap(rpc, error))
          } else resolve(value ?? Buffer.alloc(0))
        },
      )
      this.underWay.add(call)
    })
  }

  /** What a stream ended with, as an ArchiveError. */
  wrapStreamError(rpc: string, error: unknown): unknown {
    return error instanceof Error && 'details' in error ? this.wrap(rpc, error as ServiceError) : error
  }

  private wrap(rpc: string, error: ServiceError): ArchiveError {
    const context = { url: this.url, rpc, details: error.details.replace(/\.? Resolution note: *$/, '').slice(0, 200) }
    if (isTooLarge(error)) {
      return new ArchiveError('ARCHIVER_MESSAGE_TOO_LARGE', `${rpc} of ${this.url}: ${context.details}`, context, error)
    }
    const silent = error.code === grpcStatus.UNAVAILABLE || error.code === grpcStatus.DEADLINE_EXCEEDED
    const code = silent || error.code === grpcStatus.CANCELLED ? 'ARCHIVER_NODE_UNREACHABLE' : 'ARCHIVER_NODE_REFUSED'
    return new ArchiveError(code, `${rpc} of ${this.url}: ${context.details}`, context, error)
  }

  private unfit(rpc: string, reason: string, cause?: unknown): ArchiveError {
    const text = `${rpc} of ${this.url}: ${reason}`
    return new ArchiveError('ARCHIVER_NODE_REFUSED', text, { url: this.url, rpc }, cause)
  }

  private readSecureHash(message: Uint8Array): string {
    try {
      return SecureHashCodec.decode(message).secureHash ?? ''
    } catch {
      return ''
    }
  }
}

/** More than grpc-js takes, or more than the node's tonic sends. */
function isTooLarge({ code, details }: ServiceError): boolean {
  if (code === grpcStatus.RESOURCE_EXHAUSTED) return /larger than max/i.test(details)
  return code === grpcStatus.OUT_OF_RANGE && /message length too large/i.test(details)
}
