import { ERA_PERIODS, formatCoins, parseAddress } from '../../core/index.ts'
import { readPendingChanges } from '../../storage-worker/index.ts'
import { openRegistry } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import {
  adviseWeight,
  commandForWeight,
  describeState,
  describeWeight,
  isWeightDue,
  isWeightless,
} from '../node-weight.ts'
import { formatSuccessRate, toPlain } from '../render-value.ts'
import { changeToJson, describeChange, type RegistryOptions } from './contract-show.ts'
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
  const config = await client.read('getConfig', {})
  const pending = await readPendingChanges(client)
  const accrued = await client.read('calculatePendingRewards', { address })
  output.value({
    ...(toPlain(node) as object),
    successRate: Number(formatSuccessRate(node)),
    accruedRewards: `${accrued}`,
    currentEra: Math.floor(period / ERA_PERIODS),
    isWeightDue: isWeightDue(node, period),
    pendingChanges: pending.map(changeToJson),
  })
  const mas = (nanoMas: bigint) => `${formatCoins(nanoMas)} MAS`
  output.table([
    ['node', node.address],
    ['registry', client.address],
    ['state', describeState(node, config, period)],
    ...(node.leaving ? [['paid from', `period ${node.unlockPeriod}, now ${period}`]] : []),
    [
      'offers',
      `${node.allocatedGb} GB, ${node.retentionPeriods === 0n ? 'for ever' : `${node.retentionPeriods} periods`}`,
    ],
    ['weight', describeWeight(node, period)],
    ['stake', mas(node.stake)],
    ['registered', `period ${node.registeredPeriod}`],
    ['challenges', `${node.totalChallenges}, ${node.passedChallenges} passed, ${node.openChallenges} open`],
    ['success rate', formatSuccessRate(node)],
    ['strike points', `${node.strikePoints}`],
    ['slashed', mas(node.slashedTotal)],
    ['rewards', `${mas(node.pendingRewards)} to claim, ${mas(accrued)} with what is not yet vested`],
  ])
  if (isWeightless(node, config)) {
    output.line(`It has no weight, so it is not paid. Its operator changes that:`)
    output.line(commandForWeight(node.allocatedGb, options.address))
  }
  for (const line of adviseWeight(node, period, options.address)) output.line(line)
  for (const change of pending) output.line(describeChange(change))
  return EXIT_CODES.ok.code
}
