import { type Slot, slotIndex } from '../../../../core/index.ts'
import { eventFilter, MAX_FINAL_EVENTS, matchEvents, method } from '../../../../telemetry/json-rpc/index.ts'
import type { ChainEvent } from '../../chain/event-memory.ts'
import { chainEventToJson } from '../forms/event-form.ts'
import type { NodeMethod } from '../rpc-context.ts'

export const EVENT_METHODS: readonly NodeMethod[] = [
  method('get_filtered_sc_output_event', ['arg', eventFilter], ({ chain }, filter) => {
    const { start, end } = filter
    const matches = matchEvents(filter)
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
      if (!matches(event, isFinal) || (isFinal && ++finalCount > MAX_FINAL_EVENTS)) continue
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
