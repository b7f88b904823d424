import { slotIndex } from '../../../core/index.ts'
import { describeAddressFault } from '../../../core/massa/text-faults.ts'
import {
  type EventMessage,
  type EventsFilter,
  GetScExecutionEventsRequest,
  GetScExecutionEventsResponse,
} from '../../../telemetry/grpc/messages.ts'
import { isNamed, toIndex } from '../../../telemetry/grpc/request-checks.ts'
import { internalError } from '../../../telemetry/grpc/rpc-error.ts'
import { EVENT_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { toEventMessage } from './output-messages.ts'

/** Of final events, lowest slots first (`max_event_per_query`). */
const MAX_FINAL_EVENTS = 7000

interface EventQuery {
  from?: number
  to?: number
  caller?: string
  emitter?: string
  operation?: string
  isFailure?: boolean
  isFinal?: boolean
}

export function getEvents(request: Uint8Array, chain: DevnetChain): Uint8Array {
  return GetScExecutionEventsResponse.encode({
    events: findEvents(GetScExecutionEventsRequest.read(request).filters, chain),
  })
}

/** Final ones first, as they lie in different places. @throws RpcError */
export function findEvents(filters: readonly EventsFilter[], chain: DevnetChain): EventMessage[] {
  const query = readQuery(filters)
  const { from = 0, to = Number.POSITIVE_INFINITY } = query
  // Final events are looked up by what is asked beside that: by nothing at all none is found (from_event_filter).
  const { isFinal: _, ...narrow } = query
  const isNarrow = Object.values(narrow).some((part) => part !== undefined)
  let finals = 0
  const found: EventMessage[] = []
  for (const { event, block } of chain.events) {
    const index = slotIndex(event.slot)
    const isFinal = chain.isFinal(index)
    const matches =
      index >= from &&
      index < to &&
      (!isFinal || isNarrow) &&
      (query.isFinal ?? isFinal) === isFinal &&
      (query.isFailure ?? event.isError) === event.isError &&
      (query.caller ?? event.callStack[0]) === event.callStack[0] &&
      (query.emitter ?? event.callStack.at(-1)) === event.callStack.at(-1) &&
      (query.operation ?? event.originOperationId) === event.originOperationId
    if (!matches || (isFinal && finals++ >= MAX_FINAL_EVENTS)) continue
    found.push(toEventMessage(event, { block, status: isFinal ? EVENT_STATUS.final : EVENT_STATUS.unspecified }))
  }
  return found
}

/** The last filter of a kind counts. */
function readQuery(filters: readonly EventsFilter[]): EventQuery {
  const query: EventQuery = {}
  for (const filter of filters) {
    switch (filter.filter) {
      case 'slotRange': {
        const { startSlot, endSlot } = filter.slotRange ?? {}
        delete query.from
        delete query.to
        if (startSlot) query.from = toIndex(startSlot, 0)
        if (endSlot) query.to = toIndex(endSlot, 0)
        break
      }
      case 'callerAddress':
        query.caller = readAddress(filter.callerAddress)
        break
      case 'emitterAddress':
        query.emitter = readAddress(filter.emitterAddress)
        break
      case 'originalOperationId':
        query.operation = readOperationId(filter.originalOperationId)
        break
      case 'isFailure':
        query.isFailure = filter.isFailure
        break
      case 'status':
        if (filter.status === EVENT_STATUS.final) query.isFinal = true
        if (filter.status === EVENT_STATUS.candidate) query.isFinal = false
    }
  }
  return query
}

/** @throws RpcError as what is no filter of blocks is refused: as an error inside the node */
export function readAddress(text: string): string {
  if (!isNamed('address', text)) throw internalError(describeAddressFault(text))
  return text
}

export function readOperationId(text: string): string {
  if (!isNamed('operation', text)) throw internalError('operation id parsing error')
  return text
}
