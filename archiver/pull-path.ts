import {
  type BlockIdText,
  SLOT_MS,
  type Slot,
  slotFromProtobuf,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import { executionFromQueries } from './execution-results.ts'
import type { Feed, FinalityClaim } from './feed.ts'
import type { NodeClient, NodeStatus, PulledBlock } from './node-client.ts'
import { joinFilledBlock } from './verify-block.ts'

/** A poll brings at most so many bodies, so that finality is looked at again soon. */
const MAX_BODIES_PER_POLL = 500
/** Operations fetched before their blocks are handed on: bounds memory at some 10 MB. */
const MAX_OPERATIONS_IN_HAND = 5_000
const MAX_EVENTS_PER_QUERY = 7_000
/** Slots whose events are asked for at once. */
const EVENT_QUERY_SLOTS = 64

/** A node, how to ask it, and where to bring what it says. */
export interface Pull {
  readonly node: number
  readonly client: NodeClient
  readonly feed: Feed
}

/**
 * One look at a node by unary calls: blocks it shows, bodies we lack, what is final.
 *
 * @param firstStreamedSlot - from here on a stream brings execution results
 */
export async function pullOnce(pull: Pull, status: NodeStatus, firstStreamedSlot: Slot | undefined): Promise<void> {
  const { node, client, feed } = pull
  const from = feed.searchFrom(status.lastFinalSlot)
  const infos = await client.searchBlocks(from, slotAfterNow(status))
  const seen = new Set([...feed.listWanted(), ...infos.map((info) => info.id)])
  const asked = [...seen].filter((id) => feed.isWorthAsking(node, id)).slice(0, MAX_BODIES_PER_POLL)
  await fetchBodies(pull, asked)
  const claims: FinalityClaim[] = []
  for (const { id, final } of infos) {
    const slot = final ? feed.slotOf(id) : undefined
    // Consensus calls blocks final ahead of execution, with holes before them: only executed slots count.
    if (slot && slotIndex(slot) <= slotIndex(status.lastFinalSlot)) claims.push({ slot, id })
  }
  await queryExecutions(pull, status.lastFinalSlot, firstStreamedSlot)
  await feed.onClaims(node, claims, status.lastFinalSlot)
}

/** Fetches blocks by id with their operations and hands them to the feed. */
export async function fetchBodies({ node, client, feed }: Pull, ids: readonly BlockIdText[]): Promise<void> {
  await fetchFilledBlocks(client, ids, async (id, filledBlock) => {
    await feed.takeBlock(node, filledBlock, id)
  })
}

/** Fetches blocks by id as FilledBlock messages; several are handed on at once. */
export async function fetchFilledBlocks(
  client: NodeClient,
  ids: readonly BlockIdText[],
  onBlock: (id: BlockIdText, filledBlock: Uint8Array) => Promise<void>,
): Promise<void> {
  let group: PulledBlock[] = []
  let operations = 0
  const flush = async (): Promise<void> => {
    const blocks = group
    const wanted = [...new Set(blocks.flatMap((block) => block.operationIds))]
    group = []
    operations = 0
    const bodies = wanted.length > 0 ? await client.getOperations(wanted) : new Map<string, Uint8Array>()
    await Promise.all(blocks.map((block) => onBlock(block.id, fill(block, bodies))))
  }
  for (const block of ids.length > 0 ? await client.getBlocks(ids) : []) {
    group.push(block)
    operations += block.operationIds.length
    if (operations >= MAX_OPERATIONS_IN_HAND) await flush()
  }
  await flush()
}

function fill({ header, operationIds }: PulledBlock, bodies: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return joinFilledBlock(
    header,
    operationIds.map((operationId) => ({ operationId, operation: bodies.get(operationId) })),
  )
}

/** Outcomes and events of final slots that no stream brought. */
async function queryExecutions({ client, feed }: Pull, upTo: Slot, firstStreamed: Slot | undefined): Promise<void> {
  const limit = firstStreamed === undefined ? Number.POSITIVE_INFINITY : slotIndex(firstStreamed)
  const slots = (await feed.listUnexecuted(upTo)).filter(({ slot }) => slotIndex(slot) < limit)
  const first = slots[0]
  if (!first) return
  const batch = slots.filter(({ slot }) => slotIndex(slot) < slotIndex(first.slot) + EVENT_QUERY_SLOTS)
  const last = batch.at(-1) ?? first
  const events = await client.getEvents(first.slot, slotOfIndex(slotIndex(last.slot) + 1))
  const outcomes = await client.queryOutcomes([...new Set(batch.flatMap(({ operationIds }) => operationIds))])
  for (const { slot, operationIds } of batch) {
    const own = events.filter((event) => slotIndex(slotFromProtobuf(event.context?.originSlot)) === slotIndex(slot))
    const known = new Map(operationIds.map((id) => [id, outcomes.get(id) ?? ('unknown' as const)]))
    await feed.onExecution(slot, executionFromQueries(known, own, events.length < MAX_EVENTS_PER_QUERY))
  }
}

/** The end of what a node may hold: one period past its own clock. */
function slotAfterNow({ network, currentTimeMs, lastFinalSlot }: NodeStatus): Slot {
  const elapsedMs = currentTimeMs - Number(network.genesisTimestampMs)
  const now = Math.floor(elapsedMs / SLOT_MS)
  return slotOfIndex(Math.max(now, slotIndex(lastFinalSlot)) + THREAD_COUNT)
}
