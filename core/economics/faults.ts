import { DAYS_PER_MONTH, PERIODS_PER_DAY } from './chain-time.ts'
import type { EconomicsInput } from './economics-input.ts'
import { adviseFrequency, MAX_FEE_SHARE } from './frequency.ts'
import { computeMargin, computeMarginAt, type Margin, toNanoMas, toUsd } from './margin.ts'

const PPM = 1_000_000n

/** A value that is wrong, and one that would do. */
export type Change =
  /** nanoMAS */
  | {
      readonly parameter: 'rewardPerGbPerPeriod' | 'maxRewardPerPeriod'
      readonly found: bigint
      readonly enough: bigint
    }
  /** Bytes of one copy: so little history is rounded to none. */
  | { readonly parameter: 'historyBytes'; readonly found: bigint; readonly enough: bigint }
  | { readonly parameter: 'challengeFrequencyPeriods'; readonly found: number; readonly enough: number }
  | { readonly parameter: 'usdPerMas'; readonly found: number; readonly enough: number }

/** Why an honest operator should not take part. */
export interface Fault {
  /** `loss`: the operator earns nothing; `fees`: they eat more than a tenth of what is paid. */
  readonly problem: 'loss' | 'fees'
  /** All of them together mend it. */
  readonly changes: readonly Change[]
  /** This alone would do as well. */
  readonly instead?: Change
}

/** What is wrong for an honest operator; nothing when there is a profit, and fees are at most a tenth of what is paid. */
export function findFaults(input: EconomicsInput): Fault[] {
  const margin = computeMargin(input)
  const advice = adviseFrequency(input)
  if (margin.feeShare <= MAX_FEE_SHARE || !advice) return findPayFaults(input, margin)
  const { challengeFrequencyPeriods: found } = input
  const slower = computeMarginAt(input, advice.auditsPerDay)
  const isMended = margin.marginUsd <= 0 && slower.marginUsd > 0
  const change: Change = { parameter: 'challengeFrequencyPeriods', found, enough: advice.frequencyPeriods }
  return [{ problem: isMended ? 'loss' : 'fees', changes: [change] }, ...findPayFaults(input, slower)]
}

function findPayFaults(input: EconomicsInput, margin: Margin): Fault[] {
  const isLoss = margin.marginUsd <= 0
  if (!isLoss && margin.feeShare <= MAX_FEE_SHARE) return []
  const changes = askForPay(input, margin)
  if (!isLoss) return [{ problem: 'fees', changes }]
  const instead = askForPrice(input, margin)
  return [{ problem: 'loss', changes, ...(instead ? { instead } : {}) }]
}

/** What the registry has to pay so that there is a profit, and fees are at most a tenth of it. */
export interface NeededPay {
  /** Least `rewardPerGbPerPeriod`, nanoMAS. */
  readonly rateNanoMas: bigint
  /** Least `maxRewardPerPeriod` where there is one, nanoMAS. */
  readonly totalNanoMas: bigint
}

/** @returns undefined where so little is filled that the registry counts it as nothing */
export function computeNeededPay(input: EconomicsInput): NeededPay | undefined {
  return computePayFor(input, computeMargin(input))
}

function computePayFor({ prices, missedShare }: EconomicsInput, margin: Margin): NeededPay | undefined {
  const { weightGb, totalWeightGb, utilisationPpm } = margin.reward
  if (utilisationPpm === 0n) return undefined
  const spent = margin.chain.spentNanoMas
  const needed = Math.max(
    Number(toNanoMas(computeOwnUsdPerDay(margin), prices.usdPerMas) + spent),
    Number(spent) / MAX_FEE_SHARE,
  )
  const paid = BigInt(Math.ceil(needed / (1 - missedShare)))
  // Times 10^6, of one GB in a period; one more, so that the profit is more than none.
  const microPerGb = divideUp(paid * PPM, weightGb * BigInt(PERIODS_PER_DAY)) + 1n
  return {
    rateNanoMas: divideUp(microPerGb, utilisationPpm),
    totalNanoMas: divideUp(microPerGb * totalWeightGb, PPM),
  }
}

function askForPay(input: EconomicsInput, margin: Margin): Change[] {
  const needed = computePayFor(input, margin)
  if (!needed) return [askForHistory(input, margin)]
  const { rewardPerGbPerPeriod, maxRewardPerPeriod } = input.settings
  const changes: Change[] = []
  if (rewardPerGbPerPeriod < needed.rateNanoMas) {
    changes.push({ parameter: 'rewardPerGbPerPeriod', found: rewardPerGbPerPeriod, enough: needed.rateNanoMas })
  }
  if (maxRewardPerPeriod > 0n && maxRewardPerPeriod < needed.totalNanoMas) {
    changes.push({ parameter: 'maxRewardPerPeriod', found: maxRewardPerPeriod, enough: needed.totalNanoMas })
  }
  return changes
}

/** undefined when the fees alone are more than what is paid. */
function askForPrice({ prices }: EconomicsInput, margin: Margin): Change | undefined {
  const leftNanoMas = margin.paidNanoMasPerDay - margin.chain.spentNanoMas
  if (leftNanoMas <= 0n || margin.feeShare > MAX_FEE_SHARE) return undefined
  // Three digits, rounded up: what is above it is a profit.
  const exact = computeOwnUsdPerDay(margin) / toUsd(leftNanoMas, 1)
  const unit = 10 ** (Math.floor(Math.log10(exact)) - 2)
  const enough = Number((Math.ceil(exact / unit + 1e-9) * unit).toPrecision(3))
  return { parameter: 'usdPerMas', found: prices.usdPerMas, enough }
}

function askForHistory({ historyBytes: found }: EconomicsInput, { reward }: Margin): Change {
  return { parameter: 'historyBytes', found, enough: divideUp(1_000n * reward.totalWeightGb, reward.replicas) }
}

/** What is not paid in MAS. */
function computeOwnUsdPerDay({ diskUsd, trafficUsd, serverUsd }: Margin): number {
  return (diskUsd + trafficUsd + serverUsd) / DAYS_PER_MONTH
}

function divideUp(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b
}
