import { ERA_PERIODS, PERIOD_MS, type RegistryConfig, type RegistryNode } from '../core/index.ts'
import { formatDuration } from './output.ts'

export type Rules = Pick<RegistryConfig, 'requireAnchors'>
type Standing = Pick<RegistryNode, 'leaving' | 'active' | 'rules' | 'retentionPeriods'>
type Weight = Pick<RegistryNode, 'weightGb' | 'nextWeightGb' | 'nextWeightEra'>
/** Era of a period of the chain. */
const eraOf = (period: number): bigint => BigInt(Math.floor(period / ERA_PERIODS))

/** What a node is in the registry, at a period of the chain. */
export function describeState(node: Standing & Weight, config: Rules, period: number): string {
  if (node.leaving) return 'leaving'
  if (!node.active) return 'inactive: top up the stake'
  if (isWeightless(node, config)) {
    return node.retentionPeriods === 0n
      ? 'without weight since anchors are required'
      : 'without weight: only nodes that keep for ever count here'
  }
  if (node.weightGb > 0n || !hasMoreToCome(node)) return 'active'
  return isWeightDue(node, period)
    ? 'active, without weight until a call touches it'
    : `active, without weight before era ${node.nextWeightEra}`
}

/** With the stake for it, and yet neither weight nor a share of anything. */
export function isWeightless(node: Standing, { requireAnchors }: Rules): boolean {
  const { leaving, active, rules, retentionPeriods } = node
  return active && !leaving && requireAnchors && (rules === 0 || retentionPeriods !== 0n)
}

/** A weight whose era has come, and that yet counts only from the next call on that touches the node. */
export function isWeightDue(node: Weight, period: number): boolean {
  return hasMoreToCome(node) && eraOf(period) >= node.nextWeightEra
}

export function describeWeight(node: Weight, period: number): string {
  const { weightGb, nextWeightGb, nextWeightEra } = node
  if (!hasMoreToCome(node)) return `${weightGb} GB`
  const due = isWeightDue(node, period) ? `since era ${nextWeightEra}` : `from era ${nextWeightEra} on`
  return `${weightGb} GB, ${nextWeightGb} GB due ${due}`
}

/**
 * What a node waits for whose weight is not what it will be: lines for its operator, the last one a command. None when
 * nothing is due.
 *
 * @param registry - `--address` of the command that says it
 */
export function adviseWeight(
  node: Weight & Pick<RegistryNode, 'allocatedGb'>,
  period: number,
  registry?: string,
): string[] {
  if (!hasMoreToCome(node)) return []
  const { weightGb, nextWeightGb, nextWeightEra, allocatedGb } = node
  const now = eraOf(period)
  const command = commandForWeight(allocatedGb, registry)
  if (isWeightDue(node, period)) {
    return [
      `A weight of ${nextWeightGb} GB is due since era ${nextWeightEra}, now is era ${now}, and the registry still counts ${weightGb} GB:`,
      'it begins to count, and to be paid, with the next call that touches the node. Its operator makes one by:',
      command,
    ]
  }
  const wait = nextWeightEra * BigInt(ERA_PERIODS) - BigInt(period)
  const duration = formatDuration(Number(wait) * PERIOD_MS)
  return [
    `A weight of ${nextWeightGb} GB is due from era ${nextWeightEra} on, in ${wait} periods (${duration}); now is era ${now}.`,
    'It begins to count, and to be paid, with the first call from then on that touches the node. Its operator makes one by:',
    command,
  ]
}

/** The call that brings a node in line with its record, the settings and the era. */
export function commandForWeight(allocatedGb: bigint, registry?: string): string {
  const address = registry === undefined ? '' : ` --address ${registry}`
  return `  massa-storage sc call storage_registry update_storage_allocation ${allocatedGb} 0${address}`
}

function hasMoreToCome({ weightGb, nextWeightGb }: Weight): boolean {
  return nextWeightGb > weightGb
}
