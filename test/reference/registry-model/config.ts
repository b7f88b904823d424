import type { ArgsWriter } from '../args-writer.ts'
import type { ArgsReader } from './args.ts'
import { CONFIG_FIELDS } from './layout.ts'
import { demand } from './refusal.ts'

export type ConfigName = (typeof CONFIG_FIELDS)[number][0]
/** Every setting as an integer; `requireAnchors` is 0 or 1. */
export type Config = Readonly<Record<ConfigName, bigint>>

const SEED_FIELDS = 6

/** Of the fields after the seed's six. */
const DEFAULTS: Readonly<Partial<Config>> = {
  samplesPerChallenge: 2n,
  maxOpenChallengesPerNode: 8n,
  strikesBeforeSlash: 5n,
  strikeSpacingPeriods: 225n,
  unbondingPeriods: 5400n,
  replicationFactor: 3n,
  anchorQuorumPpm: 666_667n,
  requireAnchors: 0n,
  maxNodes: 10_000n,
  passesPerStrike: 20n,
  minChallengeIntervalPeriods: 1n,
  stakePerGb: 0n,
  maxRewardPerPeriod: 0n,
  placementLagEras: 1n,
  recordRetentionPeriods: 5400n,
  adminDelayPeriods: 0n,
}

const BOUNDS: Readonly<Record<ConfigName, readonly [least: bigint, most: bigint]>> = {
  rewardPerGbPerPeriod: [0n, 10n ** 10n],
  minAllocatedGb: [1n, 10n ** 6n],
  maxAllocatedGb: [1n, 10n ** 6n],
  challengeResponseTimeout: [32_000n, 3_600_000n],
  slashPercentage: [0n, 100n],
  minStake: [0n, 10n ** 15n],
  samplesPerChallenge: [1n, 64n],
  maxOpenChallengesPerNode: [1n, 8n],
  strikesBeforeSlash: [1n, 100n],
  strikeSpacingPeriods: [1n, 54_000n],
  unbondingPeriods: [0n, 54_000n],
  replicationFactor: [1n, 8n],
  anchorQuorumPpm: [500_001n, 1_000_000n],
  requireAnchors: [0n, 1n],
  maxNodes: [0n, 100_000n],
  passesPerStrike: [1n, 1000n],
  minChallengeIntervalPeriods: [0n, 5400n],
  stakePerGb: [0n, 10n ** 12n],
  maxRewardPerPeriod: [0n, 10n ** 13n],
  placementLagEras: [1n, 64n],
  recordRetentionPeriods: [1n, 54_000n],
  adminDelayPeriods: [0n, 54_000n],
}
/** With `requireAnchors`: a leaving node's record outlives two eras. */
const LEAST_UNBONDING = 256n
/** With `requireAnchors`: what everyone has, beyond unbonding, to leave before a change. */
const LEAST_NOTICE = 2700n

/** Six to all fields; missing trailing ones come from `current`, or are the defaults. */
export function readConfig(args: ArgsReader, current: Config | undefined): Config {
  const config: Partial<Record<ConfigName, bigint>> = { ...DEFAULTS, ...current }
  for (const [i, [name, kind]] of CONFIG_FIELDS.entries()) {
    if (i >= SEED_FIELDS && args.atEnd) break
    if (kind === 'bool') config[name] = args.bool() ? 1n : 0n
    else config[name] = kind === 'u64' ? args.u64() : BigInt(args.u32())
  }
  args.end()
  return config as Config
}

export function writeConfig(args: ArgsWriter, config: Config, fieldCount: number = CONFIG_FIELDS.length): ArgsWriter {
  for (const [name, kind] of CONFIG_FIELDS.slice(0, fieldCount)) {
    if (kind === 'bool') args.bool(config[name] === 1n)
    else if (kind === 'u64') args.u64(config[name])
    else args.u32(config[name])
  }
  return args
}

/** Refuses with CONFIG_INVALID; `current` is absent in the constructor. */
export function checkConfig(config: Config, current: Config | undefined): void {
  for (const [name] of CONFIG_FIELDS) {
    const [least, most] = BOUNDS[name]
    demand(config[name] >= least && config[name] <= most, 'CONFIG_INVALID')
  }
  demand(config.minAllocatedGb <= config.maxAllocatedGb, 'CONFIG_INVALID')
  if (config.requireAnchors === 1n) {
    demand(config.unbondingPeriods >= LEAST_UNBONDING, 'CONFIG_INVALID')
    demand(config.adminDelayPeriods >= config.unbondingPeriods + LEAST_NOTICE, 'CONFIG_INVALID')
  }
  if (current) {
    demand(config.adminDelayPeriods >= current.adminDelayPeriods, 'CONFIG_INVALID')
    demand(config.requireAnchors >= current.requireAnchors, 'CONFIG_INVALID')
  }
}

export function formatSetting(name: ConfigName, value: bigint): string {
  return name === 'requireAnchors' ? String(value === 1n) : String(value)
}
