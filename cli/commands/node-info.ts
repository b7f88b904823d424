import { formatCoins, parseAddress } from '../../core/index.ts'
import { openRegistry } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatSuccessRate, toPlain } from '../render-value.ts'
import type { RegistryOptions } from './contract-show.ts'
import { needAddress } from './wallet.ts'

/** What the registry has of a node. */
export async function nodeInfo(
  context: Context,
  wanted: string | undefined,
  options: RegistryOptions,
): Promise<number> {
  const { output } = context
  if (wanted !== undefined) parseAddress(wanted)
  const { client } = await openRegistry(context, { address: options.address, needsKey: false })
  const address = wanted ?? needAddress(client.chain.account)
  const { chain } = client
  const { period } = await chain.readStatus()
  const node = await client.read('getNodeInfo', { address })
  const accrued = await client.read('calculatePendingRewards', { address })
  output.value({
    ...(toPlain(node) as object),
    successRate: Number(formatSuccessRate(node)),
    accruedRewards: `${accrued}`,
  })
  const mas = (nanoMas: bigint) => `${formatCoins(nanoMas)} MAS`
  output.table([
    ['node', node.address],
    ['registry', client.address],
    ['state', node.leaving ? 'leaving' : node.active ? 'active' : 'inactive: top up the stake'],
    ...(node.leaving ? [['paid from', `period ${node.unlockPeriod}, now ${period}`]] : []),
    [
      'offers',
      `${node.allocatedGb} GB, ${node.retentionPeriods === 0n ? 'for ever' : `${node.retentionPeriods} periods`}`,
    ],
    ['stake', mas(node.stake)],
    ['registered', `period ${node.registeredPeriod}`],
    ['challenges', `${node.totalChallenges}, ${node.passedChallenges} passed, ${node.openChallenges} open`],
    ['success rate', formatSuccessRate(node)],
    ['strike points', `${node.strikePoints}`],
    ['slashed', mas(node.slashedTotal)],
    ['rewards', `${mas(node.pendingRewards)} to claim, ${mas(accrued)} with what is not yet vested`],
  ])
  return EXIT_CODES.ok.code
}
