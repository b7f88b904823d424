import { type Network, SLOT_MS, type StatusForm, slotOfIndex, THREAD_COUNT } from '../core/index.ts'
import type { ArchiveContext } from './json-rpc/archive-context.ts'

/** Of mainnet: 64 blocks with all 16 endorsements (facts: massa-node 1.1). */
const DELTA_F0 = 64 * 17
/** A node's default. */
const MINIMAL_FEE_NANO_MAS = 10_000_000n

/** What an archive says in the place of a node: time goes on as with one; what is executed ends with the last archived slot. */
export async function readArchiveStatus(
  context: Pick<ArchiveContext, 'history' | 'identity' | 'nowMs' | 'recent'>,
): Promise<StatusForm> {
  const { history, identity, recent } = context
  const { network, nodeId, version } = identity
  const nowMs = context.nowMs()
  const range = await history.readRange()
  const lastArchived = range ? { period: range.last, thread: THREAD_COUNT - 1 } : slotOfIndex(0)
  const counts = range && (await recent.read(range.last))
  return {
    nodeId,
    version,
    nowMs,
    genesisTimestampMs: Number(network.genesisTimestampMs),
    chainId: network.chainId,
    lastSlot: slotOfNow(network, nowMs),
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
  }
}

function slotOfNow({ genesisTimestampMs }: Network, nowMs: number) {
  return slotOfIndex(Math.max(0, Math.floor((nowMs - Number(genesisTimestampMs)) / SLOT_MS)))
}
