import type { Config } from '../../config/index.ts'
import { concatBytes, formatSecretKey } from '../../core/index.ts'
import { openWeb3Chain, RegistryClient } from '../../storage-worker/index.ts'
import { noteRewards } from '../../storage-worker/rewards/note-rewards.ts'
import { RegistrySender } from '../../storage-worker/sending/registry-sender.ts'
import { computeSeedAddress } from '../own-roles.ts'
import { type ChainContext, type ChainModules, REGISTRY_LOOK_MS } from './chain-context.ts'
import { findMissingSetting } from './registry-report.ts'

/**
 * Opens what acts in the registry; nothing is asked of the node before the first call.
 *
 * @param massaSeed - 32-byte secret of the Massa key that signs and pays
 * @returns undefined when something that it needs is not configured, which is logged: this only archives then
 * @throws ArchiveError of the store
 */
export async function openChain(
  config: Config,
  massaSeed: Uint8Array | undefined,
  modules: ChainModules,
): Promise<ChainContext | undefined> {
  const { log, clock, store, undo } = modules
  const { contract, node, storageRegistryAddress } = config
  const missing = findMissingSetting(config, massaSeed !== undefined)
  if (missing) {
    const { action } = missing
    log.warn({ err: missing, action }, 'nothing is proven to the registry and nothing earned: a setting is missing')
  }
  if (storageRegistryAddress === '' || massaSeed === undefined || missing) return undefined
  const chain = await openWeb3Chain(
    {
      url: contract.jsonRpcUrl,
      chainId: node.chainId,
      secretKey: formatSecretKey(concatBytes(Uint8Array.of(0), massaSeed)),
      feeNanoMas: contract.feeNanoMas,
      maxFeeNanoMas: contract.maxFeeNanoMas,
      gasMarginPercent: contract.gasMarginPercent,
      requestTimeoutMs: contract.callTimeoutMs,
      pollIntervalMs: REGISTRY_LOOK_MS,
    },
    clock,
  )
  const sender = new RegistrySender(
    { address: computeSeedAddress(massaSeed), minBalanceNanoMas: contract.minBalanceNanoMas },
    {
      client: new RegistryClient(storageRegistryAddress, chain),
      journal: store.operations,
      onFinal: (outcome) => noteRewards(outcome, { history: store.rewards, clock, log }),
      log,
    },
  )
  undo.push(() => sender.stop())
  await sender.resume()
  return { ...modules, config, sender }
}
