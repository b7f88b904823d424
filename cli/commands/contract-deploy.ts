import { join } from 'node:path'
import {
  checkSettingWritable,
  type LoadedConfig,
  loadRegistryParams,
  toSnakeCase,
  writeSetting,
} from '../../config/index.ts'
import { ArchiveError, formatCoins, REGISTRY_CONFIG_FIELDS } from '../../core/index.ts'
import { type Deployed, type DeployPlan, deployRegistry, planDeployment } from '../../storage-worker/index.ts'
import { openChain } from '../chain-access.ts'
import { confirmSpending } from '../confirm.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'

const ADDRESS_KEY = 'storage_registry_address'

export interface DeployOptions {
  /** TOML file with the settings of the registry. */
  readonly params?: string
  /** Address of the admin; that of the key by default. */
  readonly admin?: string
  readonly yes?: boolean
  /** Deploy although a registry is configured. */
  readonly force?: boolean
}

/** Deploys a storage-registry and writes its address into the configuration. */
export async function contractDeploy(context: Context, options: DeployOptions, signal: AbortSignal): Promise<number> {
  const loaded = context.load()
  const { deployed, plan, file } = await deployConfigured(context, loaded, options, signal)
  context.output.value({
    ...deployed,
    feeNanoMas: deployed.feeNanoMas.toString(),
    chainId: plan.chainId.toString(),
    admin: plan.admin,
    priceNanoMas: (plan.price.codeNanoMas + plan.price.recordsNanoMas).toString(),
    file,
  })
  context.output.line(`storage_registry_address = "${deployed.address}" is written to ${file}.`)
  return EXIT_CODES.ok.code
}

/**
 * Checks, shows the price, asks, deploys, writes the address.
 *
 * @throws ArchiveError CONTRACT_EXISTS, CLI_NOT_CONFIRMED, CONFIG_*, REGISTRY_*, CHAIN_*
 */
export async function deployConfigured(
  context: Context,
  loaded: LoadedConfig,
  options: DeployOptions,
  signal: AbortSignal,
): Promise<{ readonly deployed: Deployed; readonly plan: DeployPlan; readonly file: string }> {
  const { output } = context
  const known = loaded.config.storageRegistryAddress
  if (known !== '' && !options.force) {
    throw new ArchiveError('CONTRACT_EXISTS', `the configuration names a registry: ${known}`, { address: known })
  }
  const config = loadRegistryParams(options.params)
  const file = loaded.file ?? join(context.cwd, 'config', 'config.toml')
  checkSettingWritable(file, ADDRESS_KEY)
  const chain = await openChain(context, loaded, true)
  const plan = await planDeployment(chain, config, { admin: options.admin })
  const { price, quote } = plan
  output.remark(`Deploying a storage-registry on network ${plan.chainId} with these settings:`)
  for (const field of REGISTRY_CONFIG_FIELDS) output.remark(`  ${toSnakeCase(field)} = ${config[field]}`)
  output.remark(`Admin: ${plan.admin}`)
  output.remark(`Paid by ${chain.account}, in MAS:`)
  output.remark(`  ${formatCoins(price.codeNanoMas)} for ${plan.request.bytecode.length} bytes of code and an address`)
  output.remark(`  ${formatCoins(price.recordsNanoMas)} for the first records`)
  output.remark(`  ${formatCoins(quote.feeNanoMas)} fee`)
  output.remark(`  ${formatCoins(quote.spendNanoMas)} in all, at most ${quote.maxGas} gas`)
  await confirmSpending(output, `Spend ${formatCoins(quote.spendNanoMas)} MAS?`, { yes: options.yes, signal })
  const deployed = await deployRegistry(chain, plan, {
    signal,
    onSent: (id) => output.remark(`Sent as operation ${id}; it takes about a minute to become final.`),
    onAddress: (address) => output.remark(`Executed: ${address}; waiting until it is final.`),
  })
  output.line(`Deployed ${deployed.address}.`)
  writeSetting(file, ADDRESS_KEY, deployed.address)
  return { deployed, plan, file }
}
