import type { EconomicsInput, PaySettings, Prices } from '../../../core/index.ts'

export const MAS = 1_000_000_000n

const SETTINGS: PaySettings = {
  rewardPerGbPerPeriod: 1_000_000n,
  minStake: 10n * MAS,
  stakePerGb: 0n,
  replicationFactor: 3,
  requireAnchors: false,
  maxRewardPerPeriod: 0n,
  maxOpenChallengesPerNode: 8,
  minChallengeIntervalPeriods: 1n,
  recordRetentionPeriods: 5_400n,
}

const PRICES: Prices = {
  diskUsdPerTbMonth: 10,
  trafficUsdPerTb: 1,
  serverUsdPerMonth: 5,
  usdPerMas: 0.01,
  cloudUsdPerTbMonth: 250,
}

/** Ten nodes of 100 GB, a history of 175.2 GB, a draw every 100 periods, nothing missed. */
export function makeInput({
  settings,
  prices,
  ...rest
}: Partial<Omit<EconomicsInput, 'settings' | 'prices'>> & {
  readonly settings?: Partial<PaySettings>
  readonly prices?: Partial<Prices>
} = {}): EconomicsInput {
  return {
    nodes: 10,
    challengers: 1,
    allocatedGb: 100n,
    historyBytes: 175_200_000_000n,
    growthBytesPerDay: 480_000_000,
    challengeFrequencyPeriods: 100,
    challengerIntervalPeriods: 225,
    distributionPeriods: 100,
    claimsPerYear: 52,
    missedShare: 0,
    readShare: 0.1,
    feeNanoMas: 10_000_000n,
    ...rest,
    settings: { ...SETTINGS, ...settings },
    prices: { ...PRICES, ...prices },
  }
}
