import { type BlockIdText, SLOT_MS, type Slot, slotIndex, slotOfIndex, THREAD_COUNT } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { MAX_ID_LENGTH } from './block-id-text.ts'
import type { Feed, FinalityClaim } from './feed.ts'
import type { NodeClient, NodeStatus, PulledBlock } from './node-client.ts'
import { joinFilledBlock } from './verify-block.ts'

/** A poll brings at most so many bodies, so that finality is looked at again soon. */
const MAX_BODIES_PER_POLL = 500
const MAX_UNANSWERED = 10_000
/** Operations fetched before their blocks are handed on: bounds memory at some 10 MB. */
const MAX_OPERATIONS_IN_HAND = 5_000

/** A node, how to ask it, and where to bring what it says. */
export interface Pull {
  readonly node: number
  readonly client: NodeClient
  readonly feed: Feed
  readonly log: Logger
  /** Blocks that were asked for and not given, and how often: those asked least come first. */
  readonly unanswered: Map<BlockIdText, number>
}

/** One look at a node by unary calls: blocks it shows, bodies we lack, what is final. */
export async function pullOnce(pull: Pull, status: NodeStatus): Promise<void> {
  const { node, client, feed } = pull
  const to = slotAfterNow(status)
  const open = feed.searchFrom(status.lastFinalSlot)
  // A node that is behind the archive is asked for what it has: the end of its range may lie before our open slots.
  const from = slotIndex(open) < slotIndex(to) ? open : { period: Math.max(0, to.period - 1), thread: 0 }
  const infos = await client.searchBlocks(from, to)
  const seen = new Set([...feed.listWanted(), ...infos.map((info) => info.id)])
  const due = [...seen].filter((id) => id.length <= MAX_ID_LENGTH && feed.isWorthAsking(node, id))
  const asked = pickLeastAsked(pull, due)
  await fetchBodies(pull, asked)
  await fetchAncestors(pull, asked)
  const claims: FinalityClaim[] = []
  const unplaced: BlockIdText[] = []
  for (const { id, final } of infos) {
    const slot = final ? feed.slotOf(id) : undefined
    if (final && !slot) unplaced.push(id)
    // Consensus calls blocks final ahead of execution, with holes before them: only executed slots count.
    if (slot && slotIndex(slot) <= slotIndex(status.lastFinalSlot)) claims.push({ slot, id })
  }
  await feed.onClaims(node, claims, unplaced)
}

/** What a fetched block descends from is wanted next: a gap of many periods closes in one poll, not one period in each. */
async function fetchAncestors(pull: Pull, askedBefore: readonly BlockIdText[]): Promise<void> {
  const asked = new Set(askedBefore)
  while (asked.size < askedBefore.length + MAX_BODIES_PER_POLL) {
    const next = pull.feed.listWanted().filter((id) => !asked.has(id) && pull.feed.isWorthAsking(pull.node, id))
    if (next.length === 0) return
    for (const id of next) asked.add(id)
    await fetchBodies(pull, next)
  }
}

/** What a node shows and does not give must not keep it from being asked for the rest. */
function pickLeastAsked({ unanswered, feed }: Pull, due: readonly BlockIdText[]): BlockIdText[] {
  for (const id of unanswered.keys()) if (unanswered.size > MAX_UNANSWERED || feed.isKnown(id)) unanswered.delete(id)
  const times = (id: BlockIdText): number => unanswered.get(id) ?? 0
  const picked = [...due].sort((a, b) => times(a) - times(b)).slice(0, MAX_BODIES_PER_POLL)
  for (const id of picked) unanswered.set(id, times(id) + 1)
  return picked
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
  // What one call brought is handed on before the next may fail.
  for await (const blocks of client.getBlocks(ids)) {
    for (const block of blocks) {
      group.push(block)
      operations += block.operationIds.length
      if (operations >= MAX_OPERATIONS_IN_HAND) await flush()
    }
    await flush()
  }
}

function fill({ header, operationIds }: PulledBlock, bodies: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return joinFilledBlock(
    header,
    operationIds.map((operationId) => ({ operationId, operation: bodies.get(operationId) })),
  )
}

/** The end of what a node may hold: one period past its own clock. */
function slotAfterNow({ network, currentTimeMs, lastFinalSlot }: NodeStatus): Slot {
  const elapsedMs = currentTimeMs - Number(network.genesisTimestampMs)
  const now = Math.floor(elapsedMs / SLOT_MS)
  return slotOfIndex(Math.max(now, slotIndex(lastFinalSlot)) + THREAD_COUNT)
}
