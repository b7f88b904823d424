import { ArchiveError, formatSlot, type Network, SLOT_MS, type Slot, slotIndex, THREAD_COUNT } from '../core/index.ts'
import type { NodeStatus } from './node-client.ts'

/** How far the clocks of nodes and of this machine may differ: a minute. */
const MAX_CLOCK_SKEW_SLOTS = 120

/** Whether a slot may have begun, by the clock of this machine. */
export function isDue(slot: Slot, { network, nowMs }: { readonly network: Network; readonly nowMs: number }): boolean {
  const nowIndex = Math.floor((nowMs - Number(network.genesisTimestampMs)) / SLOT_MS)
  return slotIndex(slot) <= nowIndex + MAX_CLOCK_SKEW_SLOTS
}

/**
 * Whether a node is on the network of the archive, and no further than time allows.
 *
 * @throws ArchiveError ARCHIVER_NETWORK_MISMATCH, ARCHIVER_NODE_REFUSED
 */
export function checkNodeStatus(
  status: NodeStatus,
  { node, network, nowMs }: { readonly node: number; readonly network: Network; readonly nowMs: number },
): void {
  const same =
    status.network.chainId === network.chainId && status.network.genesisTimestampMs === network.genesisTimestampMs
  if (!same || status.threadCount !== THREAD_COUNT) {
    throw new ArchiveError(
      'ARCHIVER_NETWORK_MISMATCH',
      `the node is on chain ${status.network.chainId} with genesis ${status.network.genesisTimestampMs} and ` +
        `${status.threadCount} threads, this archive on chain ${network.chainId} with genesis ${network.genesisTimestampMs}`,
      { node },
    )
  }
  if (!isDue(status.lastFinalSlot, { network, nowMs })) {
    throw new ArchiveError(
      'ARCHIVER_NODE_REFUSED',
      `the node calls slot ${formatSlot(status.lastFinalSlot)} final, which is not due yet by the clock of this machine`,
      { node },
    )
  }
}
