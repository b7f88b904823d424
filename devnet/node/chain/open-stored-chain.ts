import { existsSync } from 'node:fs'
import { type DevnetChainOptions, resolveChainOptions } from './chain-options.ts'
import { ChainStore } from './chain-store.ts'
import { DevnetChain } from './devnet-chain.ts'
import { dropRetired, readIdentity, readStoredChain } from './stored-chain.ts'

/**
 * A chain that lives in a directory: a new one, or the one that is there, from the slot where it stood. Final events are
 * gone, as after any start of a node.
 *
 * Rates and windows may be others than before; `accounts` are for a new chain alone.
 *
 * @throws ArchiveError DEVNET_CHAIN_MISMATCH when chain id, genesis, seed or stakers are not those of the chain there,
 *   DEVNET_CHAIN_UNAVAILABLE, DEVNET_DISK_FULL
 */
export async function openStoredChain(directory: string, options: DevnetChainOptions): Promise<DevnetChain> {
  const store = await ChainStore.open(directory)
  try {
    const stored = await readStoredChain(store, resolveChainOptions(options))
    await dropRetired(store)
    return new DevnetChain(options, { store, stored })
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Genesis of the chain in a directory, ms since the epoch; undefined: there is none. */
export async function readStoredGenesis(directory: string): Promise<number | undefined> {
  if (!existsSync(directory)) return undefined
  const store = await ChainStore.open(directory)
  try {
    return (await readIdentity(store))?.genesisTimestampMs
  } finally {
    await store.close()
  }
}
