import type { Config } from '../config/index.ts'
import { ArchiveError, BYTES_PER_GB, type EconomicsInput, PERIOD_MS, type RegistryConfig } from '../core/index.ts'
import { type EconomicsOptions, GROWTH_BYTES_PER_DAY } from './economics-defaults.ts'

const CLAIMS_PER_YEAR = 52
const READ_SHARE = 0.1
/** The registry has no limit of its own; draws are gone through one by one: 5,400 a day of each at most. */
const MAX_CHALLENGERS = 1_000

/** @throws ArchiveError CLI_USAGE for what the registry would not take */
export function makeEconomicsInput(
  options: EconomicsOptions,
  settings: RegistryConfig,
  config: Pick<Config, 'challengeFrequencyPeriods' | 'minChallengeInterval' | 'rewardDistributionPeriods'>,
): EconomicsInput {
  const { minAllocatedGb, maxAllocatedGb, maxNodes } = settings
  const allocatedGb = BigInt(options.gb)
  if (allocatedGb < minAllocatedGb || allocatedGb > maxAllocatedGb) {
    throw new ArchiveError(
      'CLI_USAGE',
      `--gb ${options.gb}: this registry takes ${minAllocatedGb} to ${maxAllocatedGb} GB`,
    )
  }
  if (BigInt(options.nodes) > maxNodes) {
    throw new ArchiveError('CLI_USAGE', `--nodes ${options.nodes}: this registry takes ${maxNodes} nodes`)
  }
  if (options.challengers > MAX_CHALLENGERS) {
    throw new ArchiveError(
      'CLI_USAGE',
      `--challengers ${options.challengers}: this is computed for at most ${MAX_CHALLENGERS}`,
    )
  }
  return {
    settings,
    prices: {
      diskUsdPerTbMonth: options.disk,
      trafficUsdPerTb: options.traffic,
      serverUsdPerMonth: options.server,
      usdPerMas: options.mas,
      cloudUsdPerTbMonth: options.cloud,
    },
    nodes: options.nodes,
    challengers: options.challengers,
    allocatedGb,
    historyBytes: BigInt(Math.ceil(options.historyGb * BYTES_PER_GB)),
    growthBytesPerDay: GROWTH_BYTES_PER_DAY.quiet,
    challengeFrequencyPeriods: options.frequency ?? config.challengeFrequencyPeriods,
    challengerIntervalPeriods: Math.ceil(config.minChallengeInterval / PERIOD_MS),
    distributionPeriods: config.rewardDistributionPeriods,
    claimsPerYear: CLAIMS_PER_YEAR,
    missedShare: options.missed,
    readShare: READ_SHARE,
    feeNanoMas: options.fee,
  }
}
