import type { ClosedAudit, RewardCause, RewardExplanation, RewardSpan } from '../core/index.ts'

/* What `rewards explain` says: amounts in nanoMAS, since it is about the last one of them. */

const CAUSE_WORDS: { readonly [C in RewardCause]: string } = {
  leaving: 'the node is leaving: what no audit has judged went back to the pool',
  inactive: 'the node is inactive, its stake is too low: nothing accrues',
  paused: 'the registry is paused: nothing accrues, and it is not made up later',
  poolShort: 'the pool was short: what it did not pay is not made up later',
  unfilled: 'anchored history fills only a part of what all nodes declare',
  capped: 'maxRewardPerPeriod is reached: all nodes share it',
  light: 'the registry counts less weight than the GB offered',
  voided: 'the last audit was void as a whole: what it had frozen is judged by the next one',
  changed: 'in some of these periods size, weight, rate or utilisation were others, or nothing accrued',
}

/** Who could audit a node. */
export interface NodeChallengers {
  /** The node itself is one. */
  readonly isChallenger: boolean
  readonly others: bigint
}

/** Lines on all that a node has, and how it came about. */
export function describeRewards(
  explained: RewardExplanation,
  audits: readonly ClosedAudit[],
  challengers: NodeChallengers,
): string[] {
  const { totalNanoMas, period } = explained
  return [
    ...describePending(explained, audits),
    ...describeOpenAudit(explained),
    ...describeUnvested(explained),
    ...describeNoAudit(challengers),
    `In all ${totalNanoMas} nanoMAS in period ${period}.`,
  ]
}

function describePending({ pendingNanoMas }: RewardExplanation, audits: readonly ClosedAudit[]): string[] {
  const unclaimed = audits.filter(({ isClaimed }) => !isClaimed)
  const told = unclaimed.reduce((sum, { vestedNanoMas }) => sum + vestedNanoMas, 0n)
  const rest = pendingNanoMas - told
  return [
    `Vested, to be claimed: ${pendingNanoMas} nanoMAS`,
    ...(rest > 0n ? [`  ${rest} of audits that the massa-node does not remember`] : []),
    ...unclaimed.flatMap(describeAudit),
  ]
}

function describeAudit({ span, closedPeriod, passed, total, vestedNanoMas, returnedNanoMas }: ClosedAudit): string[] {
  if (total === 0n) return [`  audit over in period ${closedPeriod}: all void, nothing was decided`]
  const shares = `${passed}/${total} passed`
  const head = `  audit over in period ${closedPeriod}, `
  const product =
    span && span.fullNanoMas > 0n
      ? `periods ${span.fromPeriod} to ${span.toPeriod}: ${multiply(span)} x ${shares} = ${vestedNanoMas}`
      : `${vestedNanoMas + returnedNanoMas} nanoMAS x ${shares} = ${vestedNanoMas}`
  const missed = total - passed
  const returned = `    ${returnedNanoMas} went back to the pool: ${missed} of ${total} challenges failed or expired`
  return returnedNanoMas > 0n ? [head + product, returned] : [head + product]
}

function describeOpenAudit({ openAudit }: RewardExplanation): string[] {
  if (!openAudit) return ['Under audit: 0 nanoMAS']
  const { period, passed, total, open, underAuditNanoMas, mostVestedNanoMas, leastVestedNanoMas } = openAudit
  return [
    `Under audit: ${underAuditNanoMas} nanoMAS, since period ${period}`,
    `  ${passed} of ${total} challenges passed so far, ${open} open: from ${leastVestedNanoMas} to ${mostVestedNanoMas} will vest, the rest goes back to the pool`,
  ]
}

function describeUnvested({ unvestedNanoMas, span, causes, utilisationPpm }: RewardExplanation): string[] {
  const { fromPeriod, toPeriod, fullNanoMas } = span
  const product = fullNanoMas > 0n ? multiply(span) : 'nothing'
  return [
    `Not yet audited: ${unvestedNanoMas} nanoMAS`,
    `  periods ${fromPeriod} to ${toPeriod}: ${product} = ${unvestedNanoMas}`,
    ...causes.map((cause) => {
      const now = cause === 'unfilled' ? `: utilisation is ${formatPpm(utilisationPpm)} now` : ''
      return `    ${CAUSE_WORDS[cause]}${now}`
    }),
  ]
}

/** Why what is not yet audited stays so. */
function describeNoAudit({ isChallenger, others }: NodeChallengers): string[] {
  if (others > 0n) return []
  const why = isChallenger ? 'nobody else may challenge, and its own draws leave it out' : 'nobody may challenge it'
  return [`    no audit is to come: ${why}`]
}

function multiply(span: RewardSpan): string {
  const { allocatedGb, periods, rewardPerGbPerPeriod } = span
  return `${allocatedGb} GB x ${periods} periods x ${rewardPerGbPerPeriod} nanoMAS x utilisation ${formatUtilisation(span)}`
}

const MILLION = 1_000_000n

/** As a decimal number where six places tell all of it, else as the fraction that it is. */
export function formatUtilisation({ accruedNanoMas, fullNanoMas }: RewardSpan): string {
  if ((accruedNanoMas * MILLION) % fullNanoMas !== 0n) return `${accruedNanoMas}/${fullNanoMas}`
  return formatPpm((accruedNanoMas * MILLION) / fullNanoMas)
}

/** Millionths as a decimal number. */
export function formatPpm(ppm: bigint): string {
  const decimals = (ppm % MILLION).toString().padStart(6, '0').replace(/0+$/, '')
  return `${ppm / MILLION}${decimals === '' ? '' : `.${decimals}`}`
}
