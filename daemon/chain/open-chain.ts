import type { Config } from '../../config/index.ts'
import { concatBytes, formatSecretKey } from '../../core/index.ts'
import { openWeb3Chain, RegistryClient } from '../../storage-worker/index.ts'
import { noteRewards } from '../../storage-worker/rewards/note-rewards.ts'
import { RegistrySender } from '../../storage-worker/sending/registry-sender.ts'
import { computeSeedAddress } from '../own-roles.ts'
import { type ChainContext, type ChainModules, REGISTRY_LOOK_MS } from './chain-context.ts'

/**
 * Opens what acts in the registry; nothing is asked of the node before the first call.
 *
 * @param massaSeed - 32-byte secret of the Massa key that signs and pays
 * @returns undefined without a registry or a key: this only archives then
 * @throws ArchiveError of the store
 */
export async function openChain(
  config: Config,
  massaSeed: Uint8Array | undefined,
  modules: ChainModules,
): Promise<ChainContext | undefined> {
  const { log, clock, store, undo } = modules
  const { contract, node, storageRegistryAddress } = config
  if (storageRegistryAddress === '' || massaSeed === undefined) return undefined
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
