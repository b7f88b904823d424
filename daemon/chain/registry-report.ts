import type { Config } from '../../config/index.ts'
import { ArchiveError, type ErrorCode } from '../../core/index.ts'
import { ObstacleWatch } from '../../storage-worker/sending/obstacle-watch.ts'
import { keepRunning } from '../peers/peer-context.ts'
import type { ChainContext } from './chain-context.ts'

/** How this node stands in the registry that is configured. */
export interface RegistryReport {
  readonly address: string
  /** What keeps it from earning, and what to do; the archive goes on without. */
  readonly obstacles: readonly { readonly code: ErrorCode; readonly message: string; readonly action: string }[]
}

/** What is not configured that acting in the registry needs; undefined: nothing lacks, or there is no registry. */
export function findMissingSetting(config: Config, hasKey: boolean): ArchiveError | undefined {
  if (config.storageRegistryAddress === '') return undefined
  if (!config.p2p.enabled) return new ArchiveError('CHAIN_PEERS_OFF', 'this sidecar only archives: p2p.enabled = false')
  if (!hasKey) {
    return new ArchiveError('CHAIN_KEY_MISSING', 'no wallet is configured: contract.key_file is empty')
  }
  if (config.contract.jsonRpcUrl !== '') return undefined
  return new ArchiveError('CHAIN_URL_MISSING', 'no JSON-RPC address of a massa-node is configured')
}

/**
 * Watches what keeps this node from earning.
 *
 * @param missing - see `findMissingSetting`: nothing acts in the registry then
 * @returns says what there is now; undefined without a registry
 */
export function openRegistryReport(
  config: Config,
  missing: ArchiveError | undefined,
  chain: ChainContext | undefined,
): () => RegistryReport | undefined {
  const address = config.storageRegistryAddress
  if (address === '') return () => undefined
  const watch = chain && startObstacleWatch(config, chain)
  return () => {
    const found = missing ? [missing] : (watch?.obstacles ?? [])
    return { address, obstacles: found.map(({ code, message, action }) => ({ code, message, action })) }
  }
}

function startObstacleWatch(config: Config, chain: ChainContext): ObstacleWatch {
  const { sender, clock, log } = chain
  const { minBalanceNanoMas } = config.contract
  const watch = new ObstacleWatch({ address: sender.address, minBalanceNanoMas }, { client: sender.client, clock, log })
  keepRunning('obstacles', watch, chain)
  return watch
}
