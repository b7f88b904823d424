import {
  type ArchivedPeriod,
  type BlockIdText,
  isArchiveError,
  type Period,
  type StoreIdentity,
  THREAD_COUNT,
} from '../core/index.ts'
import { attestExecutions } from './attestation.ts'
import type { NodeClient } from './node-client.ts'
import { type DecidedSlot, encodePeriod } from './period-encoder.ts'
import { fetchFilledBlocks } from './pull-path.ts'
import { verifyFilledBlock } from './verify-block.ts'

/**
 * The first of several nodes that still holds a period gives it; nodes that fail are passed over.
 *
 * @returns undefined when none has it
 */
export async function refetchFromNodes(
  clients: readonly NodeClient[],
  identity: StoreIdentity,
  period: Period,
): Promise<ArchivedPeriod | undefined> {
  for (const client of clients) {
    try {
      const found = await refetchPeriod(client, identity, period)
      if (found) return found
    } catch (error) {
      if (!isArchiveError(error)) throw error
    }
  }
  return undefined
}

/**
 * Builds a period again from a node that still holds its blocks, for repair.
 *
 * Whoever calls compares the root with the one that was archived: that, not the node, says whether it is right.
 *
 * @returns undefined when the node holds no final block of the period
 * @throws ArchiveError ARCHIVER_NODE_UNREACHABLE and what verification refuses
 */
async function refetchPeriod(
  client: NodeClient,
  identity: StoreIdentity,
  period: Period,
): Promise<ArchivedPeriod | undefined> {
  const infos = await client.searchBlocks({ period, thread: 0 }, { period: period + 1, thread: 0 })
  const ids = infos.filter((info) => info.final).map((info) => info.id)
  if (ids.length === 0) return undefined
  const slots: DecidedSlot[] = Array.from({ length: THREAD_COUNT }, () => ({ kind: 'miss' }))
  await fetchFilledBlocks(client, ids, async (id: BlockIdText, filledBlock) => {
    const block = verifyFilledBlock(filledBlock, identity.network.chainId, id)
    const { record, seals, operationCount, slot } = block
    if (slot.period === period) slots[slot.thread] = { kind: 'block', record, seals, operationCount }
  })
  const executionResults = attestExecutions(new Map(), { network: identity.network, period })
  return encodePeriod({ network: identity.network, period, slots, executionResults }, identity.chunkSizeBytes)
}
