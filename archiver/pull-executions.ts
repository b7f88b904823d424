import {
  formatSlot,
  fromU64,
  type ScExecutionEventMessage,
  type Slot,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { executionFromQueries, type SlotExecution } from './execution-results.ts'
import type { Feed } from './feed.ts'
import type { NodeClient } from './node-client.ts'
import { isBug, isStoreFailure } from './store-watch.ts'

/** What a node answers with at most, lowest slots first (facts: massa-node 1.3). */
const MAX_EVENTS_PER_QUERY = 7_000
/** Slots whose events are asked for at once. */
const EVENT_QUERY_SLOTS = 64

export interface ExecutionPull {
  readonly client: NodeClient
  readonly feed: Feed
  readonly log: Logger
}

interface ExecutedSlot {
  readonly slot: Slot
  readonly operationIds: readonly string[]
}

/**
 * Asks a node for outcomes and events of executed slots that nobody brought, all that there are.
 *
 * @param nextStreamedIndex - of the first slot that a stream will bring; undefined: none speaks
 * @throws when the node does not answer, and what the store refuses
 */
export async function pullExecutions(pull: ExecutionPull, upTo: Slot, nextStreamedIndex?: number): Promise<void> {
  const end = nextStreamedIndex ?? Number.POSITIVE_INFINITY
  let rest: readonly ExecutedSlot[] = (await pull.feed.listUnexecuted(upTo)).filter(({ slot }) => slotIndex(slot) < end)
  while (rest.length > 0) rest = rest.slice(await pullFirst(pull, rest))
}

/** @returns how many of the first slots were answered, at least one */
async function pullFirst(pull: ExecutionPull, slots: readonly ExecutedSlot[]): Promise<number> {
  const [first] = slots
  if (!first) return 0
  const near = slots.filter(({ slot }) => slotIndex(slot) < slotIndex(first.slot) + EVENT_QUERY_SLOTS)
  const last = near.at(-1) ?? first
  const events = await pull.client.getEvents(first.slot, slotOfIndex(slotIndex(last.slot) + 1))
  const batch = near.slice(0, Math.max(1, countWhole(near, events)))
  const outcomes = await pull.client.queryOutcomes([...new Set(batch.flatMap(({ operationIds }) => operationIds))])
  for (const { slot, operationIds } of batch) {
    const own = events.filter((event) => indexOf(event) === slotIndex(slot))
    const known = new Map(operationIds.map((id) => [id, outcomes.get(id) ?? ('unknown' as const)]))
    await takeExecution(pull, slot, () => executionFromQueries(known, own, countWhole(batch, events) > 0))
  }
  return batch.length
}

/** How many of the slots lie before the one in whose midst a full answer ends. */
function countWhole(slots: readonly ExecutedSlot[], events: readonly ScExecutionEventMessage[]): number {
  if (events.length < MAX_EVENTS_PER_QUERY) return slots.length
  const lastIndex = events.reduce((highest, event) => Math.max(highest, indexOf(event)), 0)
  return slots.filter(({ slot }) => slotIndex(slot) < lastIndex).length
}

function indexOf({ context }: ScExecutionEventMessage): number {
  const thread = context?.originSlot?.thread ?? 0
  // What is no slot is of none.
  return thread < THREAD_COUNT ? slotIndex({ period: Number(fromU64(context?.originSlot?.period)), thread }) : -1
}

/**
 * Execution results are attested, not proven: whatever is wrong with them holds nothing else up.
 *
 * @throws what the store refuses
 */
export async function takeExecution(
  { feed, client, log }: ExecutionPull,
  slot: Slot,
  read: () => SlotExecution,
): Promise<void> {
  try {
    await feed.onExecution(slot, read())
  } catch (error) {
    if (isBug(error) || isStoreFailure(error)) throw error
    log.debug({ url: client.url, slot: formatSlot(slot), err: error }, 'execution results not taken')
  }
}
