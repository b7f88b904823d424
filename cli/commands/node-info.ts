import { formatCoins, parseAddress, type RegistryConfig, type RegistryNode } from '../../core/index.ts'
import { readPendingChanges } from '../../storage-worker/index.ts'
import { openRegistry } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
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
    pendingChanges: pending.map(changeToJson),
  })
  const mas = (nanoMas: bigint) => `${formatCoins(nanoMas)} MAS`
  output.table([
    ['node', node.address],
    ['registry', client.address],
    ['state', describeState(node, config)],
    ...(node.leaving ? [['paid from', `period ${node.unlockPeriod}, now ${period}`]] : []),
    [
      'offers',
      `${node.allocatedGb} GB, ${node.retentionPeriods === 0n ? 'for ever' : `${node.retentionPeriods} periods`}`,
    ],
    ['weight', describeWeight(node)],
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
    output.line(`  massa-storage sc call storage_registry update_storage_allocation ${node.allocatedGb} 0`)
  }
  for (const change of pending) output.line(describeChange(change))
  return EXIT_CODES.ok.code
}

type Standing = Pick<RegistryNode, 'leaving' | 'active' | 'rules' | 'retentionPeriods'>
type Rules = Pick<RegistryConfig, 'requireAnchors'>

/** What a node is in the registry. */
export function describeState(node: Standing, config: Rules): string {
  if (node.leaving) return 'leaving'
  if (!node.active) return 'inactive: top up the stake'
  if (!isWeightless(node, config)) return 'active'
  return node.retentionPeriods === 0n
    ? 'without weight since anchors are required'
    : 'without weight: only nodes that keep for ever count here'
}

/** With the stake for it, and yet neither weight nor a share of anything. */
function isWeightless({ leaving, active, rules, retentionPeriods }: Standing, { requireAnchors }: Rules): boolean {
  return active && !leaving && requireAnchors && (rules === 0 || retentionPeriods !== 0n)
}

function describeWeight({ weightGb, nextWeightGb, nextWeightEra }: RegistryNode): string {
  return `${weightGb} GB${nextWeightGb > weightGb ? `, ${nextWeightGb} GB from era ${nextWeightEra} on` : ''}`
}
