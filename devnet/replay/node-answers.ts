import { QueryStateResponseCodec, slotOfIndex, slotToProtobuf } from '../../core/index.ts'
import { GetScExecutionEventsRequest, QueryStateRequest } from '../../telemetry/grpc/messages.ts'
import { checkFilterCount, checkQueryCount, intersectRanges } from '../../telemetry/grpc/request-checks.ts'
import { unimplemented } from '../../telemetry/grpc/rpc-error.ts'
import type { UnaryRpc } from '../../telemetry/grpc/rpc-names.ts'
import { EVENT_STATUS } from '../../telemetry/grpc/status-codes.ts'
import { encodeWireField, readWireFields, replaceWireFields } from '../../telemetry/grpc/wire.ts'
import { type BlockSource, getBlocks, getOperations, type NodeOperation, searchBlocks } from '../grpc/block-answers.ts'

const MAX_EVENTS = 7000

export interface NodeEvent {
  readonly slotIndex: number
  /** A ScExecutionEvent message. */
  readonly message: Uint8Array
}

/** What a node knows at this moment. */
export interface NodeState extends BlockSource {
  /** A GetStatusResponse message. */
  status(): Uint8Array
  /** Last executed final slot. */
  finalSlotIndex(): number
  speculativeSlotIndex(): number
  findOperation(id: string): NodeOperation | undefined
  /** One of EXECUTION_QUERY_STATUS. */
  executionStatus(operationId: string): number
  /** Final events of [from, to), in order. */
  listEvents(fromIndex: number, toIndex: number): readonly NodeEvent[]
}

/**
 * Answers a unary call as a massa-node in that state does, as far as the sidecar makes such calls.
 *
 * @throws RpcError with the node's codes and texts; UNIMPLEMENTED for what is not played
 */
export function answerUnaryCall(rpc: UnaryRpc, request: Uint8Array, state: NodeState): Uint8Array {
  switch (rpc) {
    case 'GetStatus':
      return state.status()
    case 'SearchBlocks':
      return searchBlocks(request, state)
    case 'GetBlocks':
      return getBlocks(request, state)
    case 'GetOperations':
      return getOperations(request, (id) => state.findOperation(id))
    case 'QueryState':
      return queryState(request, state)
    case 'GetScExecutionEvents':
      return getEvents(request, state)
    default:
      throw unimplemented(`${rpc} is not played`)
  }
}

function queryState(request: Uint8Array, state: NodeState): Uint8Array {
  const { queries } = QueryStateRequest.read(request)
  checkQueryCount(queries)
  const responses = queries.map((query) => {
    const id = query.opExecutionStatusFinal?.operationId
    if (id === undefined) throw unimplemented('only op_execution_status_final is played')
    return { result: { executionStatus: state.executionStatus(id) } }
  })
  return QueryStateResponseCodec.encode({
    finalCursor: slotToProtobuf(slotOfIndex(state.finalSlotIndex())),
    responses,
  })
}

function getEvents(request: Uint8Array, state: NodeState): Uint8Array {
  const { filters } = GetScExecutionEventsRequest.read(request)
  checkFilterCount(filters)
  if (filters.some(({ filter }) => filter !== 'slotRange' && filter !== 'status')) {
    // A filter that is not played must not pass for one that lets everything through.
    throw unimplemented('only filters by slot range are played')
  }
  const ranges = filters.flatMap(({ slotRange }) => slotRange ?? [])
  // The node refuses to list its final events by nothing at all: it answers that there are none.
  const range = intersectRanges(ranges)
  if (!range) return new Uint8Array(0)
  const events = state.listEvents(range.from, range.to).slice(0, MAX_EVENTS)
  return Buffer.concat(events.map((event) => encodeWireField(1, markEventFinal(event.message))))
}

/** Streams leave the status of an event unset; asked for, the same event says FINAL. */
function markEventFinal(event: Uint8Array): Uint8Array {
  const context = readWireFields(event).find((field) => field.number === 1)?.payload ?? new Uint8Array(0)
  const marked = Buffer.concat([context, Uint8Array.of(7 * 8, EVENT_STATUS.final)])
  return replaceWireFields(event, new Map([[1, marked]]))
}
