import { type EventForm, type Slot, slotIndex, THREAD_COUNT } from '../../core/index.ts'
import { address, operationId, slot } from './massa-shapes.ts'
import { boolean, optional, struct } from './shapes.ts'

/** A node's `max_event_per_query`, for final events. */
export const MAX_FINAL_EVENTS = 7000

/** What `get_filtered_sc_output_event` is asked for: what is absent fits anything. */
export interface EventFilter {
  readonly start: Slot | undefined
  /** Itself no more. */
  readonly end: Slot | undefined
  readonly emitter_address: string | undefined
  readonly original_caller_address: string | undefined
  readonly original_operation_id: string | undefined
  readonly is_final: boolean | undefined
  readonly is_error: boolean | undefined
}

export const eventFilter = struct('EventFilter', {
  start: optional(slot),
  end: optional(slot),
  emitter_address: optional(address),
  original_caller_address: optional(address),
  original_operation_id: optional(operationId),
  is_final: optional(boolean),
  is_error: optional(boolean),
})

/** Tells whether an event between the slots of a filter is what it asks for. */
export function matchEvents(filter: EventFilter): (event: EventForm, isFinal: boolean) => boolean {
  const { emitter_address: emitter, original_caller_address: caller, original_operation_id: operation } = filter
  const hasFinal = isNarrow(filter)
  return (event, isFinal) =>
    (hasFinal || !isFinal) &&
    (filter.is_final === undefined || filter.is_final === isFinal) &&
    (filter.is_error === undefined || filter.is_error === event.isError) &&
    (emitter === undefined || event.callStack.at(-1) === emitter) &&
    (caller === undefined || event.callStack[0] === caller) &&
    (operation === undefined || event.originOperationId === operation)
}

/** Of the first slot at or after what a filter names: no thread is in the next period, and 99 neither. */
export function firstSlotIndex({ period, thread }: Slot): number {
  return slotIndex({ period, thread: Math.min(thread, THREAD_COUNT) })
}

/**
 * Final events are looked up by what is asked beside that they are final: by nothing at all none is found (a node's
 * `from_event_filter`).
 */
export function isNarrow({ is_final: _, ...filter }: EventFilter): boolean {
  return Object.values(filter).some((given) => given !== undefined)
}
