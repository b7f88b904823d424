import type { RegistryConfig } from '../registry/registry-config.ts'

/** What things cost, in USD. */
export interface Prices {
  readonly diskUsdPerTbMonth: number
  readonly trafficUsdPerTb: number
  /** What the sidecar adds to a machine that runs a massa-node anyway: processor, memory, the operator's time. */
  readonly serverUsdPerMonth: number
  /** Above 0. */
  readonly usdPerMas: number
  /** Storage of a central cloud database, which keeps copies of its own. */
  readonly cloudUsdPerTbMonth: number
}

/** The settings of the registry that money depends on. */
export type PaySettings = Pick<
  RegistryConfig,
  | 'rewardPerGbPerPeriod'
  | 'minStake'
  | 'stakePerGb'
  | 'replicationFactor'
  | 'requireAnchors'
  | 'maxRewardPerPeriod'
  | 'maxOpenChallengesPerNode'
  | 'minChallengeIntervalPeriods'
  | 'recordRetentionPeriods'
>

/** A network of nodes that are all alike, each of which sends its part of what anybody may send. */
export interface EconomicsInput {
  readonly settings: PaySettings
  readonly prices: Prices
  /** At least 1. */
  readonly nodes: number
  /** At least 1. */
  readonly challengers: number
  /** That each node offers; at least 1. */
  readonly allocatedGb: bigint
  /** Of anchored history, one copy; above 0. */
  readonly historyBytes: bigint
  /** That the history grows by in a day. */
  readonly growthBytesPerDay: number
  /** From one draw of a challenger to its next. */
  readonly challengeFrequencyPeriods: number
  /** What challengers wait for, whatever the registry would take. */
  readonly challengerIntervalPeriods: number
  /** From one distribution of rewards to the next. */
  readonly distributionPeriods: number
  readonly claimsPerYear: number
  /** Of audits, that an honest node misses; 0 to below 1. */
  readonly missedShare: number
  /** Of the bytes of a node, that are read in a month. */
  readonly readShare: number
  /** Of each operation. */
  readonly feeNanoMas: bigint
}
