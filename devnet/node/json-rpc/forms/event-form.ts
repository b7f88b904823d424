import { slotIndex } from '../../../../core/index.ts'
import type { ContractEvent } from '../../../engine/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import type { ChainEvent } from '../../chain/event-memory.ts'

export function eventToJson(chain: DevnetChain, { event, block }: ChainEvent): unknown {
  return contractEventToJson(event, block ?? null, chain.isFinal(slotIndex(event.slot)))
}

/** @param block - null in read-only execution, and in a slot without a block */
export function contractEventToJson(event: ContractEvent, block: string | null, isFinal: boolean): unknown {
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
