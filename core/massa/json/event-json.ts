import type { Slot } from '../../units.ts'

/** What a contract said, and where. */
export interface EventForm {
  readonly slot: Slot
  /** In which place of its slot. */
  readonly indexInSlot: number
  readonly readOnly: boolean
  /** Addresses, the first caller first. */
  readonly callStack: readonly string[]
  /** undefined: no operation caused it. */
  readonly originOperationId?: string | undefined
  readonly deferredCallId?: string | undefined
  readonly isError: boolean
  readonly data: string
}

/**
 * An event as a node's JSON-RPC gives it.
 *
 * @param block - null in read-only execution, and in a slot without a block
 */
export function eventToJson(event: EventForm, block: string | null, isFinal: boolean): unknown {
  return {
    context: {
      slot: event.slot,
      block,
      read_only: event.readOnly,
      index_in_slot: event.indexInSlot,
      call_stack: event.callStack,
      origin_operation_id: event.originOperationId ?? null,
      is_final: isFinal,
      is_error: event.isError,
      deferred_call_id: event.deferredCallId ?? null,
      async_msg_id: null,
    },
    data: event.data,
  }
}
