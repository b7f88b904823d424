import type { LoadedConfig } from '../config/index.ts'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { findMissingSetting } from '../daemon/chain/registry-report.ts'
import { RegistryClient, readWalletAddress } from '../storage-worker/index.ts'
import { listObstacles } from '../storage-worker/sending/list-obstacles.ts'
import { findKeySource, openChain } from './chain-access.ts'
import type { Finding } from './check-archive.ts'
import type { Context } from './context.ts'

/** What keeps the sidecar from earning in the registry that is configured; no password is asked for. */
export async function checkRegistry(context: Context, loaded: LoadedConfig): Promise<Finding[]> {
  const { storageRegistryAddress: registry } = loaded.config
  const check = 'registry'
  if (registry === '') return [{ check, ok: true, detail: 'none is configured: this only archives' }]
  const wallet = await readWallet(context, loaded)
  if (wallet instanceof ArchiveError) return [describe('wallet', wallet)]
  const { address, warnings } = wallet
  const obstacles = await findObstacles(context, loaded, address)
  return [
    ...warnings.map((detail) => ({ check: 'wallet', ok: false, detail, fix: 'chmod 600 that file' })),
    ...(obstacles.length > 0
      ? obstacles.map((obstacle) => describe(check, obstacle))
      : [{ check, ok: true, detail: `${registry} has ${address} as an active node` }]),
  ]
}

function describe(check: string, { code, message, action }: ArchiveError): Finding {
  return { check, ok: false, detail: `${message} (${code}); archiving goes on`, fix: action }
}

async function readWallet(context: Context, loaded: LoadedConfig) {
  const warnings: string[] = []
  try {
    const source = { ...findKeySource(context, loaded), onWarning: (text: string) => warnings.push(text) }
    return { address: await readWalletAddress(source), warnings }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return error
  }
}

async function findObstacles(
  context: Context,
  loaded: LoadedConfig,
  address: string | undefined,
): Promise<readonly ArchiveError[]> {
  const { config } = loaded
  const missing = findMissingSetting(config, address !== undefined)
  if (missing || address === undefined) return missing ? [missing] : []
  try {
    const client = new RegistryClient(config.storageRegistryAddress, await openChain(context, loaded, false))
    return await listObstacles(client, { address, minBalanceNanoMas: config.contract.minBalanceNanoMas })
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return [error]
  }
}
