import { formatCoins } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { openRegistry } from '../chain-access.ts'
import { confirmCall, tellProgress } from '../confirm-call.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { noteClaim } from '../note-claim.ts'
import type { RegistryOptions } from './contract-show.ts'
import { needAddress } from './wallet.ts'

export interface ClaimOptions extends RegistryOptions {
  readonly yes?: boolean
  readonly signal: AbortSignal
}

/** Has the registry pay out what has vested for the address of the wallet. */
export async function rewardsClaim(context: Context, options: ClaimOptions): Promise<number> {
  const { output } = context
  const { client } = await openRegistry(context, { address: options.address, needsKey: true })
  const { chain } = client
  const { chainId } = await chain.readStatus()
  const address = needAddress(chain.account)
  const { pendingRewards } = await client.read('getNodeInfo', { address })
  const before = await chain.readBalance(address)
  if (pendingRewards === 0n) {
    output.value({ node: address, operationId: null, claimedNanoMas: '0', balanceNanoMas: `${before}` })
    output.line(`Nothing has vested for ${address}: nothing was sent.`)
    if ((await client.read('calculatePendingRewards', { address })) > 0n) {
      output.remark("What it accrued is paid once an audit has passed: 'massa-storage rewards explain' says how much.")
    }
    return EXIT_CODES.ok.code
  }
  const quote = await client.quote('claimRewards', {})
  const call = { target: client.address, functionName: 'claimRewards', coinsNanoMas: 0n }
  const remarks = [`${formatCoins(pendingRewards)} MAS have vested; the wallet holds ${formatCoins(before)} MAS.`]
  await confirmCall(context, { call, args: [], quote, account: address, chainId, remarks }, options)
  const outcome = await client.call('claimRewards', {}, { quote, signal: options.signal, ...tellProgress(output) })
  const { operationId, feeNanoMas, events } = outcome
  const claimed = events.reduce((sum, event) => (event.name === 'REWARDS_CLAIMED' ? sum + event.amount : sum), 0n)
  const after = await chain.readBalance(address)
  output.value({
    node: address,
    operationId,
    claimedNanoMas: `${claimed}`,
    feeNanoMas: `${feeNanoMas}`,
    balanceBeforeNanoMas: `${before}`,
    balanceNanoMas: `${after}`,
  })
  output.line(`Claimed by ${address}, final: operation ${operationId}.`)
  const mas = (nanoMas: bigint) => `${formatCoins(nanoMas)} MAS`
  output.table([
    ['balance before', mas(before)],
    ['rewards', `+ ${mas(claimed)}`],
    ['fee', `- ${mas(feeNanoMas)}`],
    ['balance now', mas(after)],
  ])
  if (after !== before + claimed - feeNanoMas) output.remark('Something else came or went meanwhile.')
  // The history is of the registry that the sidecar works for.
  if (options.address === undefined) {
    const nanoMas = { amountNanoMas: `${claimed}`, feeNanoMas: `${feeNanoMas}` }
    const claim = { atMs: systemClock.nowMs(), operationId, ...nanoMas }
    const lack = await noteClaim(context.load().config, claim, options.signal)
    if (lack !== undefined) output.remark(`'massa-storage rewards history' will not show it: ${lack}.`)
  }
  return EXIT_CODES.ok.code
}
