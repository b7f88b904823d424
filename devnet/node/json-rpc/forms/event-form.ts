import { eventToJson, slotIndex } from '../../../../core/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import type { ChainEvent } from '../../chain/event-memory.ts'

export function chainEventToJson(chain: DevnetChain, { event, block }: ChainEvent): unknown {
  return eventToJson(event, block ?? null, chain.isFinal(slotIndex(event.slot)))
}
