import { resolve } from 'node:path'
import type { LoadedConfig } from '../config/index.ts'
import { ArchiveError } from '../core/index.ts'
import { systemClock } from '../daemon/system-clock.ts'
import { type ChainPort, openWeb3Chain, RegistryClient, readWalletKey } from '../storage-worker/index.ts'
import type { Context } from './context.ts'

/**
 * The chain that the configuration names, with the key that it names if there is one.
 *
 * @throws ArchiveError CHAIN_URL_MISSING, CHAIN_KEY_INVALID; CHAIN_KEY_MISSING when a key is needed and there is none
 */
export async function openChain(context: Context, loaded: LoadedConfig, needsKey: boolean): Promise<ChainPort> {
  const { contract, node } = loaded.config
  if (contract.jsonRpcUrl === '') {
    throw new ArchiveError('CHAIN_URL_MISSING', 'no JSON-RPC address of a massa-node is configured')
  }
  const file = contract.keyFile === '' ? '' : resolve(context.cwd, contract.keyFile)
  const secretKey = readWalletKey({ file, env: context.env })
  if (needsKey && secretKey === undefined) {
    throw new ArchiveError('CHAIN_KEY_MISSING', 'this is signed by a key, and none is configured')
  }
  return openWeb3Chain(
    {
      url: contract.jsonRpcUrl,
      chainId: node.chainId,
      secretKey,
      feeNanoMas: contract.feeNanoMas,
      maxFeeNanoMas: contract.maxFeeNanoMas,
      gasMarginPercent: contract.gasMarginPercent,
      requestTimeoutMs: contract.callTimeoutMs,
      pollIntervalMs: node.pollIntervalMs,
    },
    systemClock,
  )
}

/** The registry that the configuration names. @throws ArchiveError CLI_NO_REGISTRY, and those of `openChain` */
export async function openRegistry(
  context: Context,
  options: { readonly address?: string | undefined; readonly needsKey: boolean },
): Promise<{ readonly client: RegistryClient; readonly loaded: LoadedConfig }> {
  const loaded = context.load({ storage_registry_address: options.address })
  const address = loaded.config.storageRegistryAddress
  if (address === '') throw new ArchiveError('CLI_NO_REGISTRY', 'no storage-registry is configured')
  return { client: new RegistryClient(address, await openChain(context, loaded, options.needsKey)), loaded }
}
