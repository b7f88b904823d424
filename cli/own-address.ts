import type { LoadedConfig } from '../config/index.ts'
import { computeSeedAddress } from '../daemon/own-roles.ts'
import { readKey, readWalletAddress } from '../storage-worker/index.ts'
import { findKeySource } from './chain-access.ts'
import type { Context } from './context.ts'

/**
 * The Massa address that the sidecar of an archive speaks for, read without a password.
 *
 * @returns undefined when nothing says which node it is
 * @throws ArchiveError CHAIN_KEY_INVALID, WALLET_FILE_INVALID, STORE_KEY_INVALID
 */
export async function readOwnAddress(context: Context, loaded: LoadedConfig): Promise<string | undefined> {
  const { config } = loaded
  // Who may read a wallet is told by the commands that sign.
  const address = await readWalletAddress({ ...findKeySource(context, loaded), onWarning: () => {} })
  if (address !== undefined || !config.p2p.enabled) return address
  const seed = await readKey(config.dataDir, 'archiver.key')
  return seed && computeSeedAddress(seed)
}
