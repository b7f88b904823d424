import { NodeClient } from '../archiver/node-client.ts'
import { ArchiveError } from '../core/index.ts'
import { systemClock } from '../daemon/system-clock.ts'
import {
  computePlacementTable,
  type PlacementReading,
  type PlacementTable,
  readPlacement,
} from '../storage-worker/index.ts'
import type { Context } from './context.ts'

/** Which placement is asked for. */
export interface PlacementWish {
  /** Another registry than the configured one. */
  readonly address: string | undefined
  readonly era: number | undefined
}

/**
 * Who holds what now, by the first of the configured massa-nodes that can tell.
 *
 * @throws ArchiveError CLI_NO_REGISTRY, CLI_NO_NODE, and those of `readPlacement`, of the first node
 */
export async function openPlacement(
  context: Context,
  { address, era }: PlacementWish,
  signal: AbortSignal,
): Promise<{ readonly table: PlacementTable; readonly reading: PlacementReading }> {
  const { node, storageRegistryAddress: registry } = context.load({ storage_registry_address: address }).config
  if (registry === '') throw new ArchiveError('CLI_NO_REGISTRY', 'no storage-registry is configured')
  if (node.grpcUrls.length === 0) throw new ArchiveError('CLI_NO_NODE', 'no massa-node is configured')
  const network = { chainId: node.chainId, genesisTimestampMs: node.genesisTimestampMs }
  let failure: unknown
  for (const url of node.grpcUrls) {
    const client = new NodeClient({ url, timeoutMs: node.callTimeoutMs })
    try {
      const reading = await readPlacement({ registry, network, era, signal }, { node: client, clock: systemClock })
      return { reading, table: await computePlacementTable(reading, signal) }
    } catch (error) {
      signal.throwIfAborted()
      failure ??= error
    } finally {
      client.close()
    }
  }
  throw failure
}
