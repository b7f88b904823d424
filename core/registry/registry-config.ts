import { ArchiveError } from '../errors.ts'
import { type ArgsCodec, bool, decodeArgs, encodeArgs, type StructOf, struct, u32, u64 } from './args.ts'

/** Chain id of Massa's mainnet, where coins are worth something. */
export const MAINNET_CHAIN_ID = 77_658_377n

/** Periods that everybody has to leave after a change is announced, beyond their unbonding. */
const LEAVE_PERIODS = 2_700n
/** Two eras: the record of a leaving node outlives them. */
const MIN_ANCHOR_UNBONDING = 256n

const REQUIRED = {
  /** nanoMAS */
  rewardPerGbPerPeriod: u64,
  minAllocatedGb: u64,
  maxAllocatedGb: u64,
  /** ms */
  challengeResponseTimeout: u64,
  /** Percent of the stake */
  slashPercentage: u64,
  /** nanoMAS */
  minStake: u64,
}

const OPTIONAL = {
  samplesPerChallenge: u32,
  maxOpenChallengesPerNode: u32,
  strikesBeforeSlash: u32,
  strikeSpacingPeriods: u64,
  unbondingPeriods: u64,
  replicationFactor: u32,
  /** Share of the votes that anchors an era, millionths */
  anchorQuorumPpm: u32,
  requireAnchors: bool,
  maxNodes: u64,
  passesPerStrike: u32,
  minChallengeIntervalPeriods: u64,
  /** nanoMAS */
  stakePerGb: u64,
  /** nanoMAS, 0 = no bound */
  maxRewardPerPeriod: u64,
  placementLagEras: u32,
  recordRetentionPeriods: u64,
  adminDelayPeriods: u64,
}

/** The registry's settings, all 22; names and units as in docs/CONTRACT.md. */
export type RegistryConfig = StructOf<typeof REQUIRED & typeof OPTIONAL>

export const registryConfigCodec: ArgsCodec<RegistryConfig> = struct({ ...REQUIRED, ...OPTIONAL })

/** As argument: fields may be left out from the seventh on, and then keep their values (in the constructor: defaults). */
export const partialConfigCodec = struct(REQUIRED, OPTIONAL)
export type PartialRegistryConfig = StructOf<typeof REQUIRED, typeof OPTIONAL>

/** Names of the settings in their order on the wire. */
export const REGISTRY_CONFIG_FIELDS = Object.keys({ ...REQUIRED, ...OPTIONAL }) as (keyof RegistryConfig)[]

export function encodeRegistryConfig(config: RegistryConfig): Uint8Array {
  return encodeArgs(registryConfigCodec, config)
}

export function decodeRegistryConfig(bytes: Uint8Array): RegistryConfig {
  return decodeArgs(registryConfigCodec, bytes)
}

/** What one setting may be. */
export interface ConfigBounds {
  readonly min: bigint
  readonly max: bigint
}

/** Bounds of a number among the settings; some depend on others. `requireAnchors` has none. */
export function computeConfigBounds(
  config: Pick<RegistryConfig, 'maxAllocatedGb' | 'requireAnchors' | 'unbondingPeriods'>,
  field: keyof RegistryConfig,
): ConfigBounds {
  switch (field) {
    case 'minAllocatedGb':
      return { min: 1n, max: config.maxAllocatedGb }
    case 'unbondingPeriods':
      return { min: config.requireAnchors ? MIN_ANCHOR_UNBONDING : 0n, max: 54_000n }
    case 'adminDelayPeriods':
      return { min: config.requireAnchors ? config.unbondingPeriods + LEAVE_PERIODS : 0n, max: 54_000n }
    default:
      return FIXED_BOUNDS[field]
  }
}

const FIXED_BOUNDS: Readonly<
  Record<Exclude<keyof RegistryConfig, 'minAllocatedGb' | 'unbondingPeriods' | 'adminDelayPeriods'>, ConfigBounds>
> = {
  rewardPerGbPerPeriod: { min: 0n, max: 10_000_000_000n },
  maxAllocatedGb: { min: 1n, max: 1_000_000n },
  challengeResponseTimeout: { min: 32_000n, max: 3_600_000n },
  slashPercentage: { min: 0n, max: 100n },
  minStake: { min: 0n, max: 1_000_000_000_000_000n },
  samplesPerChallenge: { min: 1n, max: 64n },
  maxOpenChallengesPerNode: { min: 1n, max: 8n },
  strikesBeforeSlash: { min: 1n, max: 100n },
  strikeSpacingPeriods: { min: 1n, max: 54_000n },
  replicationFactor: { min: 1n, max: 8n },
  anchorQuorumPpm: { min: 500_001n, max: 1_000_000n },
  requireAnchors: { min: 0n, max: 1n },
  maxNodes: { min: 0n, max: 100_000n },
  passesPerStrike: { min: 1n, max: 1_000n },
  minChallengeIntervalPeriods: { min: 0n, max: 5_400n },
  stakePerGb: { min: 0n, max: 1_000_000_000_000n },
  maxRewardPerPeriod: { min: 0n, max: 10_000_000_000_000n },
  placementLagEras: { min: 1n, max: 64n },
  recordRetentionPeriods: { min: 1n, max: 54_000n },
}

/** The contract looks at the maximum before the minimum that depends on it. */
const CHECK_ORDER: readonly (keyof RegistryConfig)[] = [
  'rewardPerGbPerPeriod',
  'maxAllocatedGb',
  'minAllocatedGb',
  ...REGISTRY_CONFIG_FIELDS.slice(3),
]

/**
 * The bounds that the contract checks, in its order, before anything is sent.
 *
 * @throws ArchiveError REGISTRY_CONFIG_INVALID naming the first field that is out of them
 */
export function checkRegistryConfig(config: RegistryConfig): void {
  for (const field of CHECK_ORDER) {
    const value = BigInt(config[field])
    const { min, max } = computeConfigBounds(config, field)
    if (value >= min && value <= max) continue
    const allowed = `from ${min} to ${max}`
    throw invalid(field, `${field} = ${value} is not allowed; it must be ${allowed}`)
  }
}

/**
 * What may only ever get stricter.
 *
 * @throws ArchiveError REGISTRY_CONFIG_INVALID
 */
export function checkRegistryConfigChange(old: RegistryConfig, now: RegistryConfig): void {
  if (now.adminDelayPeriods < old.adminDelayPeriods) {
    throw invalid('adminDelayPeriods', `adminDelayPeriods never falls: it is ${old.adminDelayPeriods}`)
  }
  if (old.requireAnchors && !now.requireAnchors)
    throw invalid('requireAnchors', 'requireAnchors never goes back to false')
}

/**
 * What a network with coins of value must not run.
 *
 * @throws ArchiveError REGISTRY_MAINNET_REFUSED
 */
export function checkRegistryForNetwork(config: RegistryConfig, chainId: bigint): void {
  if (chainId !== MAINNET_CHAIN_ID) return
  const refused = (reason: string) => new ArchiveError('REGISTRY_MAINNET_REFUSED', `on mainnet ${reason}`, { chainId })
  if (!config.requireAnchors) {
    throw refused('require_anchors must be true: without it one hostile challenger can slash every node')
  }
  if (config.minStake === 0n && config.stakePerGb === 0n) {
    throw refused('min_stake and stake_per_gb cannot both be 0: votes and rewards would take no stake')
  }
  if (config.maxRewardPerPeriod === 0n) {
    throw refused('max_reward_per_period must not be 0, no bound: it is all that bounds what a lying quorum is paid')
  }
}

/** Stake in nanoMAS that a node of so many GB needs. */
export function computeRequiredStake(
  { minStake, stakePerGb }: Pick<RegistryConfig, 'minStake' | 'stakePerGb'>,
  allocatedGb: bigint,
): bigint {
  const ofGb = stakePerGb * allocatedGb
  return ofGb > minStake ? ofGb : minStake
}

const DAY_PERIODS = 5400n

/** Where coins have value, a stake that a node earns back within a day; nanoMAS per GB that would be enough. */
export function findStakeTooLow(config: RegistryConfig, chainId: bigint): bigint | undefined {
  const dayNanoMas = config.rewardPerGbPerPeriod * DAY_PERIODS
  return chainId === MAINNET_CHAIN_ID && config.stakePerGb < dayNanoMas ? dayNanoMas : undefined
}

function invalid(field: string, message: string): ArchiveError {
  return new ArchiveError('REGISTRY_CONFIG_INVALID', message, { field })
}
