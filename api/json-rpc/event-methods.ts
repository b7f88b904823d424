import {
  type EventForm,
  eventToJson,
  formatBlockId,
  type Period,
  parseOperationId,
  type Slot,
  slotIndex,
} from '../../core/index.ts'
import {
  type EventFilter,
  eventFilter,
  firstSlotIndex,
  JsonList,
  MAX_FINAL_EVENTS,
  matchEvents,
  method,
} from '../../telemetry/json-rpc/index.ts'
import {
  type ArchiveContext,
  type ArchiveMethod,
  type History,
  listPeriods,
  type SlotRange,
} from './archive-context.ts'
import { toEventForm } from './archived-json.ts'

/** Two hours and a quarter, of which the execution results are read one after the other. */
export const MAX_EVENT_PERIODS = 512

export const EVENT_METHODS: readonly ArchiveMethod[] = [
  method('get_filtered_sc_output_event', ['arg', eventFilter], async (context, filter) => {
    const list = new JsonList()
    const range = await findRange(context, filter)
    const matches = matchEvents(filter)
    const blockIdAt = rememberBlockId(context.history)
    // Without looking: final events alone are here.
    const isHopeless = filter.is_final === false
    for (const period of isHopeless ? [] : await listPeriods(context, range, MAX_EVENT_PERIODS)) {
      context.signal.throwIfAborted()
      const found = (await readEvents(context.history, period)).filter(
        (event) => isWithin(event, range) && matches(event, true),
      )
      for (const event of found) {
        if (list.length >= MAX_FINAL_EVENTS) return list.finish()
        list.push(JSON.stringify(eventToJson(event, await blockIdAt(event.slot), true)))
      }
    }
    return list.finish()
  }),
]

/** An operation's events are all of the slot in which it was executed: that of a block that has it. */
async function findRange({ history }: ArchiveContext, filter: EventFilter): Promise<SlotRange> {
  const from = filter.start === undefined ? 0 : firstSlotIndex(filter.start)
  const to = filter.end === undefined ? Number.POSITIVE_INFINITY : firstSlotIndex(filter.end)
  if (filter.original_operation_id === undefined) return { from, to }
  const found = await history.findOperation(parseOperationId(filter.original_operation_id))
  const [first, last] = [found?.inclusions[0], found?.inclusions.at(-1)]
  if (!first || !last) return { from: 0, to: 0 }
  return { from: Math.max(from, slotIndex(first.slot)), to: Math.min(to, slotIndex(last.slot) + 1) }
}

function isWithin({ slot }: EventForm, { from, to }: SlotRange): boolean {
  const index = slotIndex(slot)
  return index >= from && index < to
}

async function readEvents(history: History, period: Period): Promise<EventForm[]> {
  const executions = await history.readExecutions(period)
  return executions.flatMap((execution, thread) =>
    (execution?.events ?? []).map((event) => toEventForm(event, { period, thread })),
  )
}

/** Of a slot that is asked for again and again; null where it has no block. */
function rememberBlockId(history: History): (slot: Slot) => Promise<string | null> {
  let known: { readonly index: number; readonly id: string | null } | undefined
  return async (slot) => {
    const index = slotIndex(slot)
    if (known?.index !== index) {
      const found = await history.findSlot(slot)
      known = { index, id: found?.kind === 'block' ? formatBlockId(found.block.record.id) : null }
    }
    return known.id
  }
}
