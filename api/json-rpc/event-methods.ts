import {
  type EventForm,
  eventToJson,
  formatBlockId,
  type Period,
  parseOperationId,
  type Slot,
  slotIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import {
  type EventFilter,
  eventFilter,
  firstSlotIndex,
  isNarrow,
  JsonList,
  MAX_FINAL_EVENTS,
  matchEvents,
  method,
} from '../../telemetry/json-rpc/index.ts'
import {
  type ArchiveContext,
  type ArchiveMethod,
  findNextPeriod,
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
    let count = 0
    // Final events alone are here, and a node gives none that are asked for by nothing.
    const isHopeless = filter.is_final === false || !isNarrow(filter)
    for (const period of isHopeless ? [] : await listPeriods(context, range, { most: MAX_EVENT_PERIODS })) {
      context.signal.throwIfAborted()
      const found = (await readEvents(context.history, period)).filter(
        (event) => isWithin(event, range) && matches(event, true),
      )
      for (const event of found) {
        if (++count > MAX_FINAL_EVENTS) return list.finish()
        list.push(JSON.stringify(eventToJson(event, await blockIdAt(event.slot), true)))
      }
    }
    for (const item of await listNewer(context, filter, range)) list.push(item)
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
  // One that is not archived can only be in what comes behind.
  if (!first || !last) return { from: Math.max(from, (await findNextPeriod({ history })) * THREAD_COUNT), to }
  return { from: Math.max(from, slotIndex(first.slot)), to: Math.min(to, slotIndex(last.slot) + 1) }
}

/** Events of what is not archived yet, from the node; JSON of each. */
async function listNewer(context: ArchiveContext, filter: EventFilter, { from, to }: SlotRange): Promise<string[]> {
  const { node, signal } = context
  const next = await findNextPeriod(context)
  if (!node || to <= next * THREAD_COUNT) return []
  const isBehind = from >= next * THREAD_COUNT || !isNarrow(filter)
  const start = isBehind ? filter.start : { period: next, thread: 0 }
  return node.list('get_filtered_sc_output_event', [{ ...filter, start }], signal)
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
