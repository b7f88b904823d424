import { type Slot, slotIndex } from '../../../../core/index.ts'
import { address, boolean, method, operationId, optional, slot, struct } from '../../../../telemetry/json-rpc/index.ts'
import type { ChainEvent } from '../../chain/event-memory.ts'
import { chainEventToJson } from '../forms/event-form.ts'
import type { NodeMethod } from '../rpc-context.ts'

/** A node's `max_event_per_query`, for final events. */
const MAX_FINAL_EVENTS = 7000

const eventFilter = struct('EventFilter', {
  start: optional(slot),
  end: optional(slot),
  emitter_address: optional(address),
  original_caller_address: optional(address),
  original_operation_id: optional(operationId),
  is_final: optional(boolean),
  is_error: optional(boolean),
})

export const EVENT_METHODS: readonly NodeMethod[] = [
  method('get_filtered_sc_output_event', ['arg', eventFilter], ({ chain }, filter) => {
    const { start, end, emitter_address: emitter, original_caller_address: caller, is_error: isError } = filter
    const operation = filter.original_operation_id
    // Final events are looked up by what is asked beside that: by nothing at all none is found (from_event_filter).
    const isNarrow = [start, end, emitter, caller, operation, isError].some((given) => given !== undefined)
    const { events } = chain
    const from = start === undefined ? 0 : findPlace(events, start)
    const to = end === undefined ? events.length : findPlace(events, end)
    const found: unknown[] = []
    let finalCount = 0
    for (let place = from; place < to; place++) {
      const chainEvent = events[place]
      if (!chainEvent) break
      const { event } = chainEvent
      const isFinal = chain.isFinal(slotIndex(event.slot))
      const matches =
        (isNarrow || !isFinal) &&
        (filter.is_final === undefined || filter.is_final === isFinal) &&
        (isError === undefined || isError === event.isError) &&
        (emitter === undefined || event.callStack.at(-1) === emitter) &&
        (caller === undefined || event.callStack[0] === caller) &&
        (operation === undefined || event.originOperationId === operation)
      if (!matches || (isFinal && ++finalCount > MAX_FINAL_EVENTS)) continue
      found.push(chainEventToJson(chain, chainEvent))
    }
    return found
  }),
]

/** Of the first event at or after a slot: they are in the order of slots. No thread is in the next period, 99 neither. */
function findPlace(events: readonly ChainEvent[], { period, thread }: Slot): number {
  const isBefore = ({ event: { slot } }: ChainEvent) =>
    slot.period < period || (slot.period === period && slot.thread < thread)
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >> 1
    const event = events[middle]
    if (event && isBefore(event)) low = middle + 1
    else high = middle
  }
  return low
}
