import { createHash } from 'node:crypto'
import { toSnakeCase } from '../../config/index.ts'
import { ArchiveError, formatCoins, REGISTRY_CONFIG_FIELDS, type RegistryConfig } from '../../core/index.ts'
import { compareBytecode, type PendingChange, readContract, readPendingChanges } from '../../storage-worker/index.ts'
import { openRegistry } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'

export interface RegistryOptions {
  readonly address?: string
}

/** What the chain has of the registry. */
export async function contractShow(context: Context, options: RegistryOptions): Promise<number> {
  const { output } = context
  const { client } = await openRegistry(context, { address: options.address, needsKey: false })
  const bytecode = await readContract(client.chain, client.address)
  const [version, config, nodes, pool, latestEra] = [
    await client.read('getVersion', {}),
    await client.read('getConfig', {}),
    await client.read('getTotalNodes', {}),
    await client.read('getRewardPool', {}),
    await client.read('getLatestEra', {}),
  ]
  const { admin, pending } = await client.readAdmin()
  const balance = await client.chain.readBalance(client.address)
  const changes = await readPendingChanges(client)
  const code = sha256Hex(bytecode)
  output.value({
    address: client.address,
    version,
    admin: admin ?? null,
    pendingAdmin: pending ?? null,
    balanceNanoMas: balance.toString(),
    rewardPoolNanoMas: pool.toString(),
    nodes: Number(nodes),
    latestEra: latestEra === undefined ? null : Number(latestEra),
    bytecodeBytes: bytecode.length,
    bytecodeSha256: code,
    pending: changes.map(changeToJson),
    config: configToJson(config),
  })
  output.table([
    ['address', client.address],
    ['version', `${version}`],
    ['admin', admin ?? '-'],
    ...(pending === undefined ? [] : [['offered to', pending]]),
    ['balance', `${formatCoins(balance)} MAS`],
    ['reward pool', `${formatCoins(pool)} MAS`],
    ['nodes', `${nodes}`],
    ['latest era', latestEra === undefined ? 'none is anchored' : `${latestEra}`],
    ['code', `${bytecode.length} bytes, sha256 ${code}`],
  ])
  for (const change of changes) output.line(describeChange(change))
  output.line()
  output.table(REGISTRY_CONFIG_FIELDS.map((field) => [toSnakeCase(field), `${config[field]}`]))
  return EXIT_CODES.ok.code
}

/** Compares the bytecode on the chain with the one that ships; exit code 5 when they differ. */
export async function contractVerify(context: Context, options: RegistryOptions): Promise<number> {
  const { output } = context
  const { client } = await openRegistry(context, { address: options.address, needsKey: false })
  const { isEqual, found, shipped } = await compareBytecode(client.chain, client.address)
  const [onChain, inPackage] = [sha256Hex(found), sha256Hex(shipped)]
  if (!isEqual) {
    throw new ArchiveError(
      'CONTRACT_CODE_DIFFERENT',
      `${client.address} holds ${found.length} bytes, sha256 ${onChain}; this release ships ${shipped.length} bytes, sha256 ${inPackage}`,
      { onChain, inPackage },
    )
  }
  output.value({ address: client.address, ok: true, bytecodeBytes: found.length, bytecodeSha256: onChain })
  output.line(`${client.address} holds the code of this release: ${found.length} bytes, sha256 ${onChain}.`)
  return EXIT_CODES.ok.code
}

export function configToJson(config: RegistryConfig): Record<string, string | number | boolean> {
  return Object.fromEntries(
    REGISTRY_CONFIG_FIELDS.map((field) => {
      const value = config[field]
      return [toSnakeCase(field), typeof value === 'bigint' ? value.toString() : value]
    }),
  )
}

export function changeToJson(change: PendingChange): Record<string, unknown> {
  const { what, hash, isDue, isExpired } = change
  return {
    what,
    hash,
    announcedPeriod: Number(change.announcedPeriod),
    fromPeriod: Number(change.fromPeriod),
    untilPeriod: Number(change.untilPeriod),
    isDue,
    isExpired,
  }
}

export function describeChange(change: PendingChange): string {
  const name = change.what === 'config' ? 'New settings' : 'New code'
  return `${name} announced in period ${change.announcedPeriod}, sha256 ${change.hash}: ${describeWindow(change)}.`
}

function describeWindow({ fromPeriod, untilPeriod, isDue, isExpired }: PendingChange): string {
  if (isExpired) return `expired after period ${untilPeriod}, has to be announced again`
  if (isDue) return `may be applied now, up to period ${untilPeriod}`
  return `may be applied from period ${fromPeriod} on, up to period ${untilPeriod}`
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
