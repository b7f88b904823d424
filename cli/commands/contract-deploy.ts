import { join, resolve } from 'node:path'
import {
  checkSettingWritable,
  type LoadedConfig,
  loadRegistryParams,
  toSnakeCase,
  writeSetting,
} from '../../config/index.ts'
import {
  ArchiveError,
  computeConfigAnnouncementHash,
  findStakeTooLow,
  formatCoins,
  isArchiveError,
  REGISTRY_CONFIG_FIELDS,
  type RegistryConfig,
  toHex,
} from '../../core/index.ts'
import {
  type ChainPort,
  type Deployed,
  type DeployPlan,
  deployRegistry,
  followDeployment,
  planDeployment,
} from '../../storage-worker/index.ts'
import { openChain } from '../chain-access.ts'
import { confirmSpending } from '../confirm.ts'
import type { Context } from '../context.ts'
import {
  type DeploymentNote,
  deploymentNotePath,
  readDeploymentNote,
  removeDeploymentNote,
  writeDeploymentNote,
} from '../deployment-note.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import type { Output } from '../output.ts'

const ADDRESS_KEY = 'storage_registry_address'
/** After these a deployment is on no chain and never will be. */
const OVER: ReadonlySet<string> = new Set(['CHAIN_NODE_REFUSED', 'CHAIN_OPERATION_EXPIRED', 'CHAIN_OPERATION_FAILED'])

export interface DeployOptions {
  /** TOML file with the settings of the registry. */
  readonly params?: string
  /** Address of the admin; that of the key by default. */
  readonly admin?: string
  readonly yes?: boolean
  /** Deploy although a registry is configured. */
  readonly force?: boolean
}

/** A registry whose address is in the configuration now. */
export interface DeployedRegistry {
  readonly deployed: Deployed
  readonly admin: string
  /** Of code and records. */
  readonly priceNanoMas: bigint
  /** Configuration file that names it. */
  readonly file: string
}

/** Deploys a storage-registry and writes its address into the configuration. */
export async function contractDeploy(context: Context, options: DeployOptions, signal: AbortSignal): Promise<number> {
  const loaded = context.load()
  const { deployed, admin, priceNanoMas, file } = await deployConfigured(context, loaded, options, signal)
  context.output.value({
    ...deployed,
    feeNanoMas: deployed.feeNanoMas.toString(),
    chainId: loaded.config.node.chainId.toString(),
    admin,
    priceNanoMas: priceNanoMas.toString(),
    file,
  })
  context.output.line(`storage_registry_address = "${deployed.address}" is written to ${file}.`)
  return EXIT_CODES.ok.code
}

/**
 * Checks, shows the price, asks, deploys, writes the address. A deployment that was sent before and whose end nobody saw
 * is waited for instead: it is paid already.
 *
 * @throws ArchiveError CONTRACT_EXISTS, CONTRACT_DEPLOYING, CLI_NOT_CONFIRMED, CONFIG_*, REGISTRY_*, CHAIN_*
 */
export async function deployConfigured(
  context: Context,
  loaded: LoadedConfig,
  options: DeployOptions,
  signal: AbortSignal,
): Promise<DeployedRegistry> {
  const { output } = context
  const known = loaded.config.storageRegistryAddress
  if (known !== '' && !options.force) {
    throw new ArchiveError('CONTRACT_EXISTS', `the configuration names a registry: ${known}`, { address: known })
  }
  const config = loadRegistryParams(options.params === undefined ? undefined : resolve(context.cwd, options.params))
  const file = loaded.file ?? join(context.cwd, 'config', 'config.toml')
  checkSettingWritable(file, ADDRESS_KEY)
  const chain = await openChain(context, loaded, true)
  const notePath = deploymentNotePath(file, loaded.config.node.chainId)
  const settingsHash = toHex(computeConfigAnnouncementHash(config))
  const note = readDeploymentNote(notePath)
  if (note) {
    const asked = { settingsHash, admin: options.admin ?? chain.account }
    return resume({ output, chain, file, notePath, signal, asked }, note)
  }
  const plan = await planDeployment(chain, config, { admin: options.admin })
  const enough = findStakeTooLow(config, plan.chainId)
  if (enough !== undefined) {
    output.warn(
      `stake_per_gb = ${config.stakePerGb} is less than a GB earns in a day, ${enough}: a vote costs less than it can win.`,
    )
  }
  const { admin, quote } = plan
  const priceNanoMas = plan.price.codeNanoMas + plan.price.recordsNanoMas
  const question =
    `Spend ${formatCoins(quote.spendNanoMas)} MAS for a registry on network ${plan.chainId} ` +
    `with require_anchors = ${config.requireAnchors} and admin_delay_periods = ${config.adminDelayPeriods}?`
  const terms = describePlan(chain, plan, config)
  await confirmSpending(context, { terms, question }, { yes: options.yes, signal })
  let isNoted = false
  const deployed = await dropNoteIfOver(
    notePath,
    () => isNoted,
    () =>
      deployRegistry(chain, plan, {
        signal,
        onSigned: (signed) => {
          writeDeploymentNote(notePath, { signed, admin, settingsHash, priceNanoMas })
          isNoted = true
        },
        onSent: (id) => output.remark(`Sent as operation ${id}; it takes about a minute to become final.`),
        onAddress: (address) => output.remark(`Executed: ${address}; waiting until it is final.`),
      }),
  )
  return finish({ output, file, notePath }, { deployed, admin, priceNanoMas })
}

function describePlan(chain: ChainPort, plan: DeployPlan, config: RegistryConfig): string[] {
  const { price, quote } = plan
  return [
    `Deploying a storage-registry on network ${plan.chainId} with these settings:`,
    ...REGISTRY_CONFIG_FIELDS.map((field) => `  ${toSnakeCase(field)} = ${config[field]}`),
    `Admin: ${plan.admin}`,
    `Paid by ${chain.account}, in MAS:`,
    `  ${formatCoins(price.codeNanoMas)} for ${plan.request.bytecode.length} bytes of code and an address`,
    `  ${formatCoins(price.recordsNanoMas)} for the first records`,
    `  ${formatCoins(quote.feeNanoMas)} fee`,
    `  ${formatCoins(quote.spendNanoMas)} in all, at most ${quote.maxGas} gas`,
  ]
}

interface Resuming {
  readonly output: Output
  readonly chain: ChainPort
  readonly file: string
  readonly notePath: string
  readonly signal: AbortSignal
  /** What a deployment would be like now. */
  readonly asked: { readonly settingsHash: string; readonly admin: string | undefined }
}

/** Nothing is spent here. */
async function resume({ output, chain, file, notePath, signal, asked }: Resuming, note: DeploymentNote) {
  const { signed, admin, priceNanoMas } = note
  if (signed.sender !== chain.account) {
    throw new ArchiveError('CONTRACT_DEPLOYING', `${notePath} tells of a deployment by ${signed.sender}`, { notePath })
  }
  // Who asks for something else must not be told that he has it.
  if (note.settingsHash !== asked.settingsHash || admin !== asked.admin) {
    const other = `${notePath} tells of a deployment with other settings or another admin`
    throw new ArchiveError('CONTRACT_DEPLOYING', other, { notePath })
  }
  output.remark(`A deployment was sent before, as operation ${signed.operationId} (${notePath}): looking for it.`)
  const deployed = await dropNoteIfOver(
    notePath,
    () => true,
    () => followDeployment(chain, signed, signal),
  )
  return finish({ output, file, notePath }, { deployed, admin, priceNanoMas })
}

function finish(
  { output, file, notePath }: Pick<Resuming, 'output' | 'file' | 'notePath'>,
  registry: Omit<DeployedRegistry, 'file'>,
): DeployedRegistry {
  output.line(`Deployed ${registry.deployed.address}.`)
  writeSetting(file, ADDRESS_KEY, registry.deployed.address)
  removeDeploymentNote(notePath)
  return { ...registry, file }
}

/** The note goes only when it is certain that there is nothing on the chain to be found, and it is not another process's. */
async function dropNoteIfOver<T>(notePath: string, isOurs: () => boolean, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isOurs() && isArchiveError(error) && (OVER.has(error.code) || error.code.startsWith('REGISTRY_'))) {
      removeDeploymentNote(notePath)
    }
    if (!isArchiveError(error, 'CHAIN_OUTCOME_UNKNOWN')) throw error
    const advice = `; run this again to look for it, and remove ${notePath} only if you know that it is not on the chain`
    throw new ArchiveError(error.code, `${error.message}${advice}`, { ...error.context, notePath }, error)
  }
}
