import { status as grpcStatus } from '@grpc/grpc-js'
import {
  type BlockIdText,
  ByteReader,
  fromU64,
  GetBlocksRequestCodec,
  GetBlocksResponseCodec,
  GetOperationsRequestCodec,
  GetOperationsResponseCodec,
  GetScExecutionEventsRequestCodec,
  isArchiveError,
  type MessageCodec,
  parseBlockId,
  parseOperationId,
  QueryStateRequestCodec,
  QueryStateResponseCodec,
  SearchBlocksRequestCodec,
  SearchBlocksResponseCodec,
  type SlotMessage,
  slotOfIndex,
  slotToProtobuf,
  THREAD_COUNT,
} from '../../core/index.ts'
import { RpcError, type UnaryRpc } from './public-service.ts'
import { encodeWireField, readWireFields, replaceWireFields } from './wire.ts'

/** Limits of the node (facts: massa-node 1.3, 0.1). */
const MAX_FILTERS = 32
const MAX_BLOCK_IDS = 50
const MAX_OPERATION_IDS = 250
const MAX_QUERIES = 128
const MAX_EVENTS = 7000

export const BLOCK_STATUS = { blockclique: 1, final: 2, alternateClique: 3, discarded: 4 } as const
/** ExecutionQueryExecutionStatus: done, failed, or nothing known. */
export const EXECUTION_QUERY_STATUS = { success: 1, failure: 2, unknown: 3 } as const
const EVENT_STATUS_FINAL = 1

export interface NodeBlock {
  readonly id: BlockIdText
  readonly slotIndex: number
  /** A SignedBlockHeader message. */
  readonly headerMessage: Uint8Array
  readonly operationIds: readonly string[]
}

export interface NodeOperation {
  /** A SignedOperation message; absent when it was never seen. */
  readonly message: Uint8Array
  readonly thread: number
  readonly blockIds: readonly string[]
}

export interface NodeEvent {
  readonly slotIndex: number
  /** A ScExecutionEvent message. */
  readonly message: Uint8Array
}

/** What a node knows at this moment. */
export interface NodeState {
  /** A GetStatusResponse message. */
  status(): Uint8Array
  /** Last executed final slot. */
  finalSlotIndex(): number
  speculativeSlotIndex(): number
  /** Blocks of [from, to) still in memory, in any order. */
  listBlocks(fromIndex: number, toIndex: number): readonly NodeBlock[]
  findBlock(id: string): NodeBlock | undefined
  blockStatus(block: NodeBlock): number
  findOperation(id: string): NodeOperation | undefined
  /** One of EXECUTION_QUERY_STATUS. */
  executionStatus(operationId: string): number
  /** Final events of [from, to), in order. */
  listEvents(fromIndex: number, toIndex: number): readonly NodeEvent[]
}

/** Answers a unary call as a massa-node in that state does. @throws RpcError with the node's codes and texts */
export function answerUnaryCall(rpc: UnaryRpc, request: Uint8Array, state: NodeState): Uint8Array {
  switch (rpc) {
    case 'GetStatus':
      return state.status()
    case 'SearchBlocks':
      return searchBlocks(request, state)
    case 'GetBlocks':
      return getBlocks(request, state)
    case 'GetOperations':
      return getOperations(request, state)
    case 'QueryState':
      return queryState(request, state)
    case 'GetScExecutionEvents':
      return getEvents(request, state)
  }
}

function searchBlocks(request: Uint8Array, state: NodeState): Uint8Array {
  const { filters = [] } = decode(SearchBlocksRequestCodec, request)
  if (filters.length === 0) throw invalid('no filter provided')
  checkFilterCount(filters.length)
  refuseOtherFilters(request, [3])
  const range = intersect(filters.map((filter) => filter.slotRange))
  // A node answers in no order at all: sorted by id, so that nobody comes to rely on slots.
  const blocks = [...state.listBlocks(range.from, range.to)].sort((a, b) => (a.id < b.id ? -1 : 1))
  return SearchBlocksResponseCodec.encode({
    blockInfos: blocks.map((block) => ({ blockId: block.id, status: state.blockStatus(block) })),
  })
}

function getBlocks(request: Uint8Array, state: NodeState): Uint8Array {
  const { blockIds = [] } = decode(GetBlocksRequestCodec, request)
  if (blockIds.length === 0) throw invalid('no block id provided')
  if (blockIds.length > MAX_BLOCK_IDS) throw tooMany('block ids', MAX_BLOCK_IDS)
  for (const id of blockIds) checkId(id, parseBlockId, 'block')
  const known = blockIds.flatMap((id) => state.findBlock(id) ?? [])
  return GetBlocksResponseCodec.encode({
    wrappedBlocks: known.map((block) => ({
      status: state.blockStatus(block),
      block: { header: block.headerMessage, operations: [...block.operationIds] },
    })),
  })
}

function getOperations(request: Uint8Array, state: NodeState): Uint8Array {
  const { operationIds = [] } = decode(GetOperationsRequestCodec, request)
  if (operationIds.length === 0) throw invalid('no operations ids specified')
  if (operationIds.length > MAX_OPERATION_IDS) throw tooMany('operations', MAX_OPERATION_IDS)
  for (const id of operationIds) checkId(id, parseOperationId, 'operation')
  const known = operationIds.flatMap((id) => state.findOperation(id) ?? [])
  return GetOperationsResponseCodec.encode({
    wrappedOperations: known.map(({ blockIds, thread, message }) => ({
      blockIds: [...blockIds],
      ...(thread === 0 ? {} : { thread }),
      operation: message,
    })),
  })
}

function queryState(request: Uint8Array, state: NodeState): Uint8Array {
  const { queries = [] } = decode(QueryStateRequestCodec, request)
  if (queries.length === 0) throw invalid('no query items specified')
  if (queries.length > MAX_QUERIES) {
    throw invalid(`too many query items received. Only a maximum of ${MAX_QUERIES} operations are accepted per request`)
  }
  const responses = queries.map((query) => {
    const id = query.opExecutionStatusFinal?.operationId
    if (id === undefined) throw new RpcError(grpcStatus.UNIMPLEMENTED, 'only op_execution_status_final is played')
    return { result: { executionStatus: state.executionStatus(id) } }
  })
  const body = QueryStateResponseCodec.encode({
    finalCursor: slotToProtobuf(slotOfIndex(state.finalSlotIndex())),
    responses,
  })
  return body
}

function getEvents(request: Uint8Array, state: NodeState): Uint8Array {
  const { filters = [] } = decode(GetScExecutionEventsRequestCodec, request)
  checkFilterCount(filters.length)
  refuseOtherFilters(request, [1, 6])
  const ranges = filters.flatMap((filter) => filter.slotRange ?? [])
  // The node refuses to list its final events by nothing at all: it answers that there are none.
  if (ranges.length === 0) return new Uint8Array(0)
  const range = intersect(ranges)
  const events = state.listEvents(range.from, range.to).slice(0, MAX_EVENTS)
  return Buffer.concat(events.map((event) => encodeWireField(1, markEventFinal(event.message))))
}

/** Streams leave the status of an event unset; asked for, the same event says FINAL. */
function markEventFinal(event: Uint8Array): Uint8Array {
  const context = readWireFields(event).find((field) => field.number === 1)?.payload ?? new Uint8Array(0)
  const marked = Buffer.concat([context, Uint8Array.of(7 * 8, EVENT_STATUS_FINAL)])
  return replaceWireFields(event, new Map([[1, marked]]))
}

interface SlotRange {
  readonly startSlot?: SlotMessage | null
  readonly endSlot?: SlotMessage | null
}

/** Start inclusive, end exclusive; several ranges are intersected. */
function intersect(ranges: readonly (SlotRange | null | undefined)[]): { from: number; to: number } {
  let from = 0
  let to = Number.MAX_SAFE_INTEGER
  for (const range of ranges) {
    const start = range?.startSlot ? indexOf(range.startSlot) : 0
    const end = range?.endSlot ? indexOf(range.endSlot) : Number.MAX_SAFE_INTEGER
    if (range?.startSlot && range.endSlot && start >= end) {
      const relation = start === end ? 'equal to' : 'greater than'
      throw invalid(
        `Invalid slot range: start slot ${describe(range.startSlot)} is ${relation} end slot ${describe(range.endSlot)}`,
      )
    }
    from = Math.max(from, start)
    to = Math.min(to, end)
  }
  return { from, to }
}

/** Thread 32 and above is taken as it comes: (43, 32) is after all of period 43. */
function indexOf(slot: SlotMessage): number {
  return Number(fromU64(slot.period)) * THREAD_COUNT + Math.min(slot.thread ?? 0, THREAD_COUNT)
}

function describe(slot: SlotMessage): string {
  return `(period: ${fromU64(slot.period)}, thread: ${slot.thread ?? 0})`
}

function decode<T>(codec: MessageCodec<T>, request: Uint8Array): T {
  try {
    return codec.decode(request)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new RpcError(grpcStatus.INTERNAL, `failed to decode Protobuf message: ${reason}`)
  }
}

/** A filter that is not played must not pass for one that lets everything through. */
function refuseOtherFilters(request: Uint8Array, played: readonly number[]): void {
  for (const filter of readWireFields(request)) {
    if (filter.payload === undefined) continue
    const reader = new ByteReader(filter.payload)
    const number = reader.remaining === 0 ? undefined : reader.varintNumber(0xffff_ffff) >>> 3
    if (number === undefined || !played.includes(number)) {
      throw new RpcError(grpcStatus.UNIMPLEMENTED, 'only filters by slot range are played')
    }
  }
}

function checkFilterCount(count: number): void {
  if (count > MAX_FILTERS) throw tooMany('filters', MAX_FILTERS)
}

function checkId(id: string, parse: (text: string) => Uint8Array, kind: string): void {
  try {
    parse(id)
  } catch (error) {
    if (!isArchiveError(error, 'CORE_BASE58_INVALID')) throw error
    throw invalid(`invalid ${kind} id: ${id}`)
  }
}

function tooMany(what: string, maximum: number): RpcError {
  return invalid(`too many ${what} received. Only a maximum of ${maximum} ${what} are accepted per request`)
}

function invalid(details: string): RpcError {
  return new RpcError(grpcStatus.INVALID_ARGUMENT, details)
}
