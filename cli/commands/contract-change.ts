import { resolve } from 'node:path'
import { checkParams, readRegistryParams, toSnakeCase } from '../../config/index.ts'
import {
  ArchiveError,
  computeCodeAnnouncementHash,
  formatCoins,
  REGISTRY_CONFIG_FIELDS,
  toHex,
} from '../../core/index.ts'
import {
  checkAnnounce,
  checkApply,
  checkBytecode,
  findTakenBack,
  isInForce,
  planConfigChange,
  quoteChange,
  type RegistryChange,
  type RegistryClient,
  readBytecodeFile,
  readPendingChange,
  readShippedBytecode,
  sendChange,
  tryCode,
} from '../../storage-worker/index.ts'
import { openRegistry } from '../chain-access.ts'
import { confirmSpending } from '../confirm.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { changeToJson, configToJson, describeChange, type RegistryOptions } from './contract-show.ts'

export interface ChangeOptions extends RegistryOptions {
  readonly yes?: boolean
}

export type ChangeStep = 'announce' | 'apply'

/** What waits for its second call, and the settings as they are. */
export async function contractPending(
  context: Context,
  what: RegistryChange['what'],
  options: RegistryOptions,
): Promise<number> {
  const { output } = context
  const { client } = await openRegistry(context, { address: options.address, needsKey: false })
  const change = await readPendingChange(client, what)
  const config = await client.read('getConfig', {})
  output.value({
    pending: change ? changeToJson(change) : null,
    ...(what === 'config' ? { config: configToJson(config) } : {}),
  })
  if (what === 'config') output.table(REGISTRY_CONFIG_FIELDS.map((field) => [toSnakeCase(field), `${config[field]}`]))
  output.line(change ? describeChange(change) : 'Nothing is announced.')
  return EXIT_CODES.ok.code
}

/** One of the two calls that change the settings of the registry. */
export async function contractConfig(
  context: Context,
  step: ChangeStep,
  file: string,
  options: ChangeOptions & { readonly signal: AbortSignal },
): Promise<number> {
  const path = resolve(context.cwd, file)
  const changed = readRegistryParams(path)
  const { client } = await openRegistry(context, { address: options.address, needsKey: true })
  const { old, config } = await planConfigChange(client, changed)
  checkParams(config, path)
  const terms = REGISTRY_CONFIG_FIELDS.filter((field) => old[field] !== config[field]).map(
    (field) => `  ${toSnakeCase(field)}: ${old[field]} -> ${config[field]}`,
  )
  return makeCall(context, client, { step, change: { what: 'config', config }, terms, ...options })
}

/** One of the two calls that change the code of the registry. */
export async function contractUpgrade(
  context: Context,
  step: ChangeStep,
  file: string | undefined,
  options: ChangeOptions & { readonly signal: AbortSignal },
): Promise<number> {
  const bytecode = file === undefined ? readShippedBytecode() : readBytecodeFile(resolve(context.cwd, file))
  checkBytecode(bytecode, file ?? 'the contract of this release')
  const { client } = await openRegistry(context, { address: options.address, needsKey: true })
  const change: RegistryChange = { what: 'code', bytecode }
  const terms = [`  code: ${bytecode.length} bytes, sha256 ${toHex(computeCodeAnnouncementHash(bytecode))}`]
  return makeCall(context, client, { step, change, terms, ...options })
}

interface CallPlan extends ChangeOptions {
  readonly step: ChangeStep
  readonly change: RegistryChange
  /** What it changes, in lines. */
  readonly terms: readonly string[]
  readonly signal: AbortSignal
}

async function makeCall(context: Context, client: RegistryClient, plan: CallPlan): Promise<number> {
  const { output } = context
  const { step, change, terms, yes, signal } = plan
  const inForce = await isInForce(client, change)
  const takenBack = inForce ? await findTakenBack(client, change) : undefined
  if (inForce && (step === 'apply' || !takenBack)) {
    const what = change.what === 'config' ? 'these settings' : 'this code'
    const advice = takenBack ? "; 'announce' takes back what is announced" : ''
    const message = `${client.address} has ${what} already${advice}`
    throw new ArchiveError('CONTRACT_UNCHANGED', message, { address: client.address })
  }
  if (step === 'apply') await checkApply(client, change)
  else if (!(await checkAnnounce(client, change))) {
    output.remark('This change is announced already.')
    return contractPending(context, change.what, plan)
  }
  if (change.what === 'code' && !inForce) await tryCode(client, change.bytecode)
  const quote = await quoteChange(client, change)
  const price = `Costs at most ${formatCoins(quote.spendNanoMas)} MAS with the fee; what is not used comes back.`
  const end = takenBack ? [`  in force already; what is announced, sha256 ${takenBack.hash}, is taken back`] : []
  const announcing = takenBack ? 'Take back what is announced?' : 'Announce the change?'
  const question = step === 'announce' ? announcing : 'Apply the change?'
  await confirmSpending(context, { terms: [...terms, ...end, price], question }, { yes, signal })
  const outcome = await sendChange(client, change, quote, {
    signal,
    onSent: (id) => output.remark(`Sent as operation ${id}.`),
  })
  const pending = await readPendingChange(client, change.what)
  output.value({
    step,
    operationId: outcome.operationId,
    feeNanoMas: outcome.feeNanoMas.toString(),
    takenBack: takenBack?.hash ?? null,
    pending: pending ? changeToJson(pending) : null,
  })
  if (pending) output.line(describeChange(pending))
  else output.line(takenBack ? 'Taken back: no settings are announced any more.' : 'Applied.')
  return EXIT_CODES.ok.code
}
