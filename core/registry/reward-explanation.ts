import { PPM, projectAccrual } from './accrual.ts'
import type { RegistryConfig } from './registry-config.ts'
import { makeSpan, type RewardSpan } from './reward-audits.ts'
import type { RegistryState } from './state-record.ts'
import type { RegistryNode } from './views.ts'

/** What keeps a span from being paid in full, or in more than full. */
export type RewardCause =
  /** All that was unvested went back to the pool. */
  | 'leaving'
  | 'inactive'
  | 'paused'
  /** The pool could not pay; what it did not pay is not made up later. */
  | 'poolShort'
  /** Anchored history fills less than what is declared. */
  | 'unfilled'
  /** `maxRewardPerPeriod` */
  | 'capped'
  /** Less weight than GB offered. */
  | 'light'
  /** The audit before was void as a whole: what it had frozen is in this span again. */
  | 'voided'
  /** Nothing of the above, and yet not what today's numbers make: some were others in some of its periods. */
  | 'changed'

/** The audit under way. */
export interface OpenAudit {
  readonly period: bigint
  readonly passed: bigint
  readonly total: bigint
  /** Challenges that are not resolved. */
  readonly open: bigint
  readonly underAuditNanoMas: bigint
  /** When all that are open pass. */
  readonly mostVestedNanoMas: bigint
  /** When none of them does. */
  readonly leastVestedNanoMas: bigint
}

/** All that a registry holds for a node, and how it came about. */
export interface RewardExplanation {
  readonly period: bigint
  /** What `claimRewards` pays. */
  readonly pendingNanoMas: bigint
  readonly underAuditNanoMas: bigint
  /** Accrued since the last audit began, projected to `period`. */
  readonly unvestedNanoMas: bigint
  /** The sum: what `calculatePendingRewards` returns. */
  readonly totalNanoMas: bigint
  readonly openAudit: OpenAudit | undefined
  /** What the next audit decides about. */
  readonly span: RewardSpan
  /** Why the utilisation of the span is not 1; none when it is. */
  readonly causes: readonly RewardCause[]
  /** Share of the declared GB that is paid now, millionths. */
  readonly utilisationPpm: bigint
}

/** What is stored of a registry and of one of its nodes, all of one state of the chain. */
export interface RewardFacts {
  /** As `getNodeInfo` returns it. */
  readonly node: RegistryNode
  readonly state: RegistryState
  readonly config: RegistryConfig
  /** Of the chain, at which it is explained; not before that of the state. */
  readonly period: bigint
}

/** The same numbers as the contract, to the nanoMAS. */
export function explainRewards({ node, state, config, period }: RewardFacts): RewardExplanation {
  const { pendingRewards: pendingNanoMas, underAudit: underAuditNanoMas } = node
  const accrual = projectAccrual(state, config, period)
  const unvestedNanoMas = node.unvested + node.weightGb * (accrual.index - node.indexPaid)
  const wasAudited = node.auditPeriod > 0n
  const span = makeSpan({
    fromPeriod: wasAudited ? node.auditPeriod : node.registeredPeriod,
    toPeriod: period,
    allocatedGb: node.allocatedGb,
    rewardPerGbPerPeriod: config.rewardPerGbPerPeriod,
    accruedNanoMas: unvestedNanoMas,
  })
  const steadyNanoMas = (node.weightGb * span.periods * accrual.perGbMicro) / PPM
  const off = unvestedNanoMas - steadyNanoMas
  const isShort = accrual.isShort || state.shortSince
  const found: Readonly<Record<RewardCause, boolean>> = {
    leaving: node.leaving,
    inactive: !node.active && !node.leaving,
    paused: state.paused,
    poolShort: isShort,
    unfilled: accrual.utilisationPpm < PPM,
    capped: accrual.isCapped,
    light: node.active && node.weightGb < node.allocatedGb,
    voided: wasAudited && node.auditTotal === 0 && node.openChallenges === 0 && !node.leaving,
    // The index is rounded down at both ends of the span.
    changed: off > node.weightGb || off < -node.weightGb,
  }
  const isExplained = found.leaving || found.paused || found.poolShort || found.voided
  const isFull = unvestedNanoMas === span.fullNanoMas
  return {
    period,
    pendingNanoMas,
    underAuditNanoMas,
    unvestedNanoMas,
    totalNanoMas: pendingNanoMas + underAuditNanoMas + unvestedNanoMas,
    openAudit: describeOpenAudit(node),
    span,
    causes: isFull
      ? []
      : (Object.keys(found) as RewardCause[]).filter((cause) => found[cause] && !(cause === 'changed' && isExplained)),
    utilisationPpm: accrual.utilisationPpm,
  }
}

function describeOpenAudit(node: RegistryNode): OpenAudit | undefined {
  if (node.openChallenges === 0) return undefined
  const [passed, total, open] = [BigInt(node.auditPassed), BigInt(node.auditTotal), BigInt(node.openChallenges)]
  return {
    period: node.auditPeriod,
    passed,
    total,
    open,
    underAuditNanoMas: node.underAudit,
    mostVestedNanoMas: (node.underAudit * (passed + open)) / total,
    leastVestedNanoMas: (node.underAudit * passed) / total,
  }
}
