import {
  ArchiveError,
  computeRequiredStake,
  encodeRegistryCall,
  formatCoins,
  isArchiveError,
  type NodeMetadata,
  PERIOD_MS,
} from '../../core/index.ts'
import {
  compareBytecode,
  type Quote,
  type RegistryClient,
  readPendingChanges,
  type SubmitOptions,
} from '../../storage-worker/index.ts'
import { openRegistry } from '../chain-access.ts'
import { confirmCall, tellProgress } from '../confirm-call.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { adviseWeight } from '../node-weight.ts'
import { formatDuration } from '../output.ts'
import { toPlain } from '../render-value.ts'
import { checkRetentionPromise } from '../retention-promise.ts'
import { changeToJson, describeChange } from './contract-show.ts'

/** The records of a node take 0.0517 MAS; what is not used comes back in the same call. */
const RECORD_COINS_NANO_MAS = 100_000_000n

interface SigningOptions {
  readonly address?: string
  readonly yes?: boolean
  readonly signal: AbortSignal
}

export interface RegisterOptions extends SigningOptions {
  readonly gb?: bigint
  readonly retentionPeriods?: bigint
  /** nanoMAS */
  readonly stake?: bigint
  /** Name to publish. */
  readonly operator?: string
}

export type UnregisterOptions = SigningOptions

/** Registers the address of the wallet, with what the configuration offers unless told otherwise. */
export async function registerNode(context: Context, options: RegisterOptions): Promise<number> {
  const { output } = context
  const { client, loaded } = await openRegistry(context, { address: options.address, needsKey: true })
  const { chainId } = await client.chain.readStatus()
  const config = await client.read('getConfig', {})
  const broken = checkRetentionPromise(options.retentionPeriods, config, loaded)
  if (broken !== undefined) output.warn(broken)
  const allocatedGb = options.gb ?? BigInt(loaded.config.allocatedStorageGb)
  const args = {
    allocatedGb,
    retentionPeriods: options.retentionPeriods ?? BigInt(loaded.config.retentionPeriods),
    stake: options.stake ?? computeRequiredStake(config, allocatedGb),
  }
  if (!(await compareBytecode(client.chain, client.address)).isEqual) {
    output.warn(`${client.address} holds other code than this release ships; see 'massa-storage contract verify'.`)
  }
  const pending = await readPendingChanges(client)
  for (const change of pending) if (!change.isExpired) output.warn(describeChange(change))
  const coinsNanoMas = args.stake + RECORD_COINS_NANO_MAS
  const quote = await client.quote('registerStorageNode', args, coinsNanoMas)
  const remark =
    `Registering with a stake of ${formatCoins(args.stake)} MAS. It is paid back ${describeWait(config.unbondingPeriods)} ` +
    'after `unregister`, less what is slashed for failed challenges.'
  const { operator = '' } = options
  const metadata = { p2pAddrs: loaded.config.p2p.announce, endpoint: '', location: '', operator }
  // What cannot be published is refused before anything is staked.
  encodeRegistryCall('updateNodeMetadata', metadata)
  const published = [operator, ...metadata.p2pAddrs].filter((text) => text !== '').join(', ')
  const publishing = `A second operation publishes ${published}, for at most ${formatCoins(RECORD_COINS_NANO_MAS)} MAS and its fee.`
  const shown = Object.entries(args).map(([name, value]) => [name, `${value}`] as const)
  await confirmCall(
    context,
    toConfirm(client, {
      functionName: 'registerStorageNode',
      args: shown,
      quote,
      coinsNanoMas,
      chainId,
      remarks: published === '' ? [remark] : [remark, publishing],
    }),
    options,
  )
  const { signal } = options
  const { operationId, feeNanoMas } = await client.call('registerStorageNode', args, {
    coinsNanoMas,
    quote,
    signal,
    ...tellProgress(output),
  })
  if (published !== '') {
    await publish(client, metadata, { signal, ...tellProgress(output) })
    output.line(`Published: ${published}.`)
  }
  const node = await client.read('getNodeInfo', { address: client.chain.account ?? '' })
  const { period } = await client.chain.readStatus()
  output.value({ operationId, feeNanoMas: `${feeNanoMas}`, node: toPlain(node), pending: pending.map(changeToJson) })
  output.line(`Registered ${node.address}: ${node.allocatedGb} GB, stake ${formatCoins(node.stake)} MAS.`)
  for (const line of adviseWeight(node, period, options.address)) output.line(line)
  return EXIT_CODES.ok.code
}

/** Leaves the registry, or after the unbonding takes out what is due. */
export async function unregisterNode(context: Context, options: UnregisterOptions): Promise<number> {
  const { output } = context
  const { client } = await openRegistry(context, { address: options.address, needsKey: true })
  const address = client.chain.account ?? ''
  const { chainId, period } = await client.chain.readStatus()
  const node = await client.read('getNodeInfo', { address })
  const { unbondingPeriods } = await client.read('getConfig', {})
  if (node.leaving && BigInt(period) < node.unlockPeriod) {
    const wait = describeWait(node.unlockPeriod - BigInt(period))
    throw new ArchiveError(
      'REGISTRY_UNBONDING',
      `${address} left and is paid from period ${node.unlockPeriod} on, in ${wait}`,
      {
        unlockPeriod: node.unlockPeriod,
      },
    )
  }
  const due = `${formatCoins(node.stake)} MAS of stake and ${formatCoins(node.pendingRewards)} MAS of rewards`
  const remarks = node.leaving
    ? [`The unbonding is over: this pays ${due}, and deletes the records of ${address}.`]
    : [
        `Leaving takes two calls. This one ends challenges and rewards; ${formatCoins(node.unvested)} MAS of rewards`,
        'that no audit has confirmed go back to the pool. Challenges that are open must still be answered.',
        `${describeWait(unbondingPeriods)} later the same command pays ${due}.`,
      ]
  const quote = await client.quote('unregisterStorageNode', {})
  await confirmCall(
    context,
    toConfirm(client, { functionName: 'unregisterStorageNode', args: [], quote, coinsNanoMas: 0n, chainId, remarks }),
    options,
  )
  const { operationId, feeNanoMas } = await client.call(
    'unregisterStorageNode',
    {},
    {
      quote,
      signal: options.signal,
      ...tellProgress(output),
    },
  )
  const left = await readNode(client, address)
  output.value({ operationId, feeNanoMas: `${feeNanoMas}`, node: left ? toPlain(left) : null })
  output.line(
    left
      ? `${address} has left and is paid from period ${left.unlockPeriod} on: call this again then.`
      : `${address} is paid and no longer in the registry.`,
  )
  return EXIT_CODES.ok.code
}

/** Where others reach the sidecar, which decides who stands apart from it; and how it is called. */
async function publish(client: RegistryClient, metadata: NodeMetadata, options: SubmitOptions): Promise<void> {
  const coinsNanoMas = RECORD_COINS_NANO_MAS
  const quote = await client.quote('updateNodeMetadata', metadata, coinsNanoMas)
  await client.call('updateNodeMetadata', metadata, { coinsNanoMas, quote, ...options })
}

/** undefined when the registry does not know it. */
async function readNode(client: RegistryClient, address: string) {
  try {
    return await client.read('getNodeInfo', { address })
  } catch (error) {
    if (isArchiveError(error, 'REGISTRY_NODE_UNKNOWN')) return undefined
    throw error
  }
}

function describeWait(periods: bigint): string {
  return `${periods} periods (${formatDuration(Number(periods) * PERIOD_MS)})`
}

interface PlannedCall {
  readonly functionName: string
  readonly args: readonly (readonly [string, string])[]
  readonly quote: Quote
  readonly coinsNanoMas: bigint
  readonly chainId: bigint
  readonly remarks: readonly string[]
}

function toConfirm(client: RegistryClient, { functionName, coinsNanoMas, ...plan }: PlannedCall) {
  const call = { target: client.address, functionName, coinsNanoMas }
  return { call, ...plan, account: client.chain.account }
}
