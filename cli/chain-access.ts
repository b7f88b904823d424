import { resolve } from 'node:path'
import type { LoadedConfig } from '../config/index.ts'
import { ArchiveError } from '../core/index.ts'

import { systemClock } from '../daemon/system-clock.ts'
import type { ChainPort } from '../storage-worker/chain-port.ts'
import { RegistryClient } from '../storage-worker/registry-client.ts'
import { type KeySource, readWalletAddress, readWalletKey } from '../storage-worker/wallet-key.ts'
import { openWeb3Chain } from '../storage-worker/web3-chain.ts'
import type { Context } from './context.ts'
import { readPassword } from './wallet-password.ts'

/** Where the one key that signs is, for every command. */
export function findKeySource(context: Context, { config }: LoadedConfig): KeySource {
  const { keyFile } = config.contract
  return {
    file: keyFile === '' ? '' : resolve(context.cwd, keyFile),
    env: context.env,
    onWarning: (text) => context.output.warn(text),
  }
}

/** The password of a wallet that is there. */
export function askPassword(context: Context, file: string): Promise<string> {
  return readPassword(context, { question: `Password of ${file}`, isNew: false })
}

/**
 * The chain that the configuration names, with the key that it names when one is needed: else nothing is decrypted, and the
 * address of the key is the one that asks.
 *
 * @throws ArchiveError CHAIN_URL_MISSING, CHAIN_KEY_INVALID, WALLET_*; CHAIN_KEY_MISSING when a key is needed and there is none
 */
export async function openChain(context: Context, loaded: LoadedConfig, needsKey: boolean): Promise<ChainPort> {
  const { contract, node } = loaded.config
  if (contract.jsonRpcUrl === '') {
    throw new ArchiveError('CHAIN_URL_MISSING', 'no JSON-RPC address of a massa-node is configured')
  }
  const source = findKeySource(context, loaded)
  const secretKey = needsKey
    ? await readWalletKey({ ...source, readPassword: (file) => askPassword(context, file) })
    : undefined
  const caller = needsKey ? undefined : await readWalletAddress(source)
  if (needsKey && secretKey === undefined) {
    throw new ArchiveError('CHAIN_KEY_MISSING', 'this is signed by a key, and none is configured')
  }
  return openWeb3Chain(
    {
      url: contract.jsonRpcUrl,
      chainId: node.chainId,
      secretKey,
      caller,
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
