import { SLOT_MS, slotOfIndex, statusToJson, THREAD_COUNT } from '../../core/index.ts'
import { plainMethod } from '../../telemetry/json-rpc/index.ts'
import type { ArchiveContext, ArchiveMethod } from './archive-context.ts'

/** Of mainnet: 64 blocks with all 16 endorsements (facts: massa-node 1.1). */
const DELTA_F0 = 64 * 17
/** A node's default. */
const MINIMAL_FEE_NANO_MAS = 10_000_000n

export const STATUS_METHODS: readonly ArchiveMethod[] = [plainMethod('get_status', getStatus)]

/** Time goes on as with a node; what is executed ends with the last archived slot. */
async function getStatus(context: ArchiveContext): Promise<unknown> {
  const { history, identity, node, nowMs: readClock, recent, signal } = context
  // It is for who sends, too: fees and the slot of now are the node's to say.
  if (node) return node.call('get_status', [], signal)
  const { network, nodeId, version } = identity
  const nowMs = readClock()
  const genesisTimestampMs = Number(network.genesisTimestampMs)
  const range = await history.readRange()
  const lastArchived = range ? { period: range.last, thread: THREAD_COUNT - 1 } : slotOfIndex(0)
  const counts = range && (await recent.read(range.last))
  return statusToJson({
    nodeId,
    version,
    nowMs,
    genesisTimestampMs,
    chainId: network.chainId,
    lastSlot: slotOfIndex(Math.max(0, Math.floor((nowMs - genesisTimestampMs) / SLOT_MS))),
    activeCursor: lastArchived,
    finalCursor: lastArchived,
    minimalFeeNanoMas: MINIMAL_FEE_NANO_MAS,
    networkVersion: counts?.networkVersion ?? 0,
    deltaF0: DELTA_F0,
    cliqueCount: 1,
    pooledOperations: 0,
    recent: {
      finalBlocks: counts?.finalBlocks ?? 0,
      staleBlocks: 0,
      finalOperations: counts?.finalOperations ?? 0,
    },
  })
}
