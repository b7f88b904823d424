import {
  type AuditRhythm,
  adviseFrequency,
  computeAuditsPerDay,
  computeChallengeChance,
  computeMargin,
  computeNeededPay,
  computeNetworkCost,
  computeRequiredStake,
  type EconomicsInput,
  type Fault,
  type FrequencyAdvice,
  findFaults,
  type Margin,
  type NetworkCost,
  readRhythm,
} from '../core/index.ts'
import { DAYS_PER_YEAR, GROWTH_BYTES_PER_DAY } from './economics-defaults.ts'

/** What the command answers, as JSON but for amounts: these are bigints here. */
export interface EconomicsReport {
  readonly input: EconomicsInput
  readonly margin: Margin
  readonly stakeNanoMas: bigint
  readonly challenges: {
    readonly rhythm: AuditRhythm
    readonly auditsPerDay: number
    /** Chance that challenges alone find a node in a day that lacks 1 %. */
    readonly catchChance: number
  }
  /** The most frequent challenges that leave fees at a tenth; undefined when they are above it without any. */
  readonly advice: (FrequencyAdvice & { readonly catchChance: number }) | undefined
  /** Of the history that is after a year. */
  readonly network: { readonly quiet: NetworkCost; readonly full: NetworkCost }
  /** Least `rewardPerGbPerPeriod` that leaves a profit and fees at a tenth, nanoMAS. */
  readonly leastRateNanoMas: bigint | undefined
  readonly faults: readonly Fault[]
}

const MISSING_SHARE = 0.01

export function makeReport(input: EconomicsInput): EconomicsReport {
  const { settings } = input
  const rhythm = readRhythm(input)
  const auditsPerDay = computeAuditsPerDay(rhythm)
  const advice = adviseFrequency(input)
  const catchChance = (frequencyPeriods: number): number => {
    const challenges = settings.maxOpenChallengesPerNode
    return computeChallengeChance(MISSING_SHARE, { ...rhythm, frequencyPeriods }, { challenges, days: 1 })
  }
  return {
    input,
    margin: computeMargin(input),
    stakeNanoMas: computeRequiredStake(settings, input.allocatedGb),
    challenges: { rhythm, auditsPerDay, catchChance: catchChance(rhythm.frequencyPeriods) },
    advice: advice && { ...advice, catchChance: catchChance(advice.frequencyPeriods) },
    network: { quiet: computeYear(input, 'quiet'), full: computeYear(input, 'full') },
    leastRateNanoMas: computeNeededPay(input)?.rateNanoMas,
    faults: findFaults(input),
  }
}

function computeYear(input: EconomicsInput, kind: keyof typeof GROWTH_BYTES_PER_DAY): NetworkCost {
  const growthBytesPerDay = GROWTH_BYTES_PER_DAY[kind]
  return computeNetworkCost(input, { historyBytes: BigInt(growthBytesPerDay * DAYS_PER_YEAR), growthBytesPerDay })
}
