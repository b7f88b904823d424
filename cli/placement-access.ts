import { NodeClient } from '../archiver/node-client.ts'
import type { Config } from '../config/index.ts'
import { ArchiveError, type EraAnchor, type Network } from '../core/index.ts'
import { systemClock } from '../daemon/system-clock.ts'
import {
  computePlacementTable,
  createEraRelease,
  type EraRelease,
  type PlacementNode,
  type PlacementReading,
  type PlacementTable,
  readAnchors,
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
  const { config } = context.load({ storage_registry_address: address })
  if (config.storageRegistryAddress === '')
    throw new ArchiveError('CLI_NO_REGISTRY', 'no storage-registry is configured')
  const read = async (client: PlacementNode, asked: AskedRegistry) => {
    const reading = await readPlacement({ ...asked, era, signal }, { node: client, clock: systemClock })
    return { reading, table: await computePlacementTable(reading, signal) }
  }
  return await askNodes(config, read, signal)
}

/**
 * Which eras the registry lets `prune` delete, as the first of the configured massa-nodes that can tell says now.
 *
 * @throws ArchiveError CLI_NO_NODE, and those of `readPlacement` and `readAnchors`, of the first node
 */
export async function openEraRelease(context: Context, signal: AbortSignal): Promise<EraRelease> {
  const { config } = context.load()
  const { reading } = await openPlacement(context, { address: undefined, era: undefined }, signal)
  const find = (era: number): Promise<EraAnchor | undefined> => findAnchor(config, era, signal)
  return createEraRelease(config.storageRegistryAddress, { placement: { inForce: reading }, anchors: { find } })
}

/**
 * What is anchored of an era, as the first of the configured massa-nodes that can tell says.
 *
 * @returns undefined when it is not anchored, or by a record that this release does not know
 * @throws ArchiveError CLI_NO_REGISTRY, CLI_NO_NODE, and those of `readAnchors`, of the first node
 */
export async function findAnchor(config: Config, era: number, signal: AbortSignal): Promise<EraAnchor | undefined> {
  const [anchor] = await readFromNodes(config, [era], signal)
  return anchor
}

/**
 * Roots of those eras that are anchored, as the first of the configured massa-nodes that can tell says.
 *
 * @throws ArchiveError CLI_NO_REGISTRY, CLI_NO_NODE, and those of `readAnchors`, of the first node
 */
export async function findAnchoredRoots(
  config: Config,
  eras: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const anchors = await readFromNodes(config, eras, signal)
  return new Map(anchors.flatMap((anchor) => (anchor ? [[anchor.era, anchor.root] as const] : [])))
}

async function readFromNodes(
  config: Config,
  eras: readonly number[],
  signal: AbortSignal,
): Promise<(EraAnchor | undefined)[]> {
  if (config.storageRegistryAddress === '')
    throw new ArchiveError('CLI_NO_REGISTRY', 'no storage-registry is configured')
  const read = (client: PlacementNode, asked: AskedRegistry) =>
    readAnchors({ ...asked, eras }, { node: client, clock: systemClock })
  const anchors = await askNodes(config, read, signal)
  return anchors.map((anchor) => (anchor === 'unreadable' ? undefined : anchor))
}

interface AskedRegistry {
  readonly registry: string
  readonly network: Network
}

/** The first answer. */
async function askNodes<T>(
  { node, storageRegistryAddress: registry }: Config,
  ask: (client: PlacementNode, asked: AskedRegistry) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  if (node.grpcUrls.length === 0) throw new ArchiveError('CLI_NO_NODE', 'no massa-node is configured')
  const network = { chainId: node.chainId, genesisTimestampMs: node.genesisTimestampMs }
  let failure: unknown
  for (const url of node.grpcUrls) {
    const client = new NodeClient({ url, timeoutMs: node.callTimeoutMs })
    try {
      return await ask(client, { registry, network })
    } catch (error) {
      signal.throwIfAborted()
      failure ??= error
    } finally {
      client.close()
    }
  }
  throw failure
}
