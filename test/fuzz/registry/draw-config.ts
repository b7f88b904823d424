import type { Config } from '../../reference/registry-model/config.ts'
import type { SeededRandom } from './random.ts'

const LEAST_NOTICE = 2700n

/** Settings within their bounds, small where that lets more happen. */
export function drawConfig(random: SeededRandom): Config {
  const requireAnchors = random.chance(0.45)
  const unbondingPeriods = requireAnchors
    ? random.pick([256n, 300n, 1000n])
    : random.pickWeighted([
        [2, 0n],
        [2, random.between(1n, 20n)],
        [2, random.between(20n, 600n)],
      ])
  const adminDelayPeriods = requireAnchors
    ? unbondingPeriods + LEAST_NOTICE + random.between(0n, 3n)
    : random.pickWeighted([
        [4, 0n],
        [2, random.between(1n, 30n)],
      ])
  const minAllocatedGb = random.pick([1n, 1n, 2n, 5n])
  return {
    rewardPerGbPerPeriod: random.pick([0n, 1n, 3n, 1000n, 1_000_000n, 1_000_007n, 10n ** 9n, 10n ** 10n]),
    minAllocatedGb,
    maxAllocatedGb: random.pick([minAllocatedGb, 10n, 1000n, 10n ** 6n]),
    challengeResponseTimeout: random.pick([32_000n, 60_000n, 160_000n, 161_250n, 3_600_000n]),
    slashPercentage: random.pick([0n, 1n, 10n, 33n, 50n, 100n]),
    minStake: random.pick([0n, 1n, 99n, 10n ** 9n, 10n ** 9n + 1n, 10n ** 12n, 10n ** 15n]),
    samplesPerChallenge: random.pickWeighted([
      [6, 2n],
      [3, random.between(1n, 5n)],
      [1, 64n],
    ]),
    maxOpenChallengesPerNode: random.between(1n, 8n),
    strikesBeforeSlash: random.pick([1n, 1n, 2n, 3n, 5n, 100n]),
    strikeSpacingPeriods: random.pick([1n, 1n, 3n, 20n, 225n]),
    unbondingPeriods,
    replicationFactor: random.between(1n, 8n),
    anchorQuorumPpm: random.pick([500_001n, 666_667n, 666_667n, 1_000_000n]),
    requireAnchors: requireAnchors ? 1n : 0n,
    maxNodes: random.pickWeighted([
      [1, random.between(0n, 3n)],
      [2, 8n],
      [4, 100_000n],
    ]),
    passesPerStrike: random.pick([1n, 2n, 3n, 20n, 1000n]),
    minChallengeIntervalPeriods: random.pickWeighted([
      [3, 0n],
      [4, 1n],
      [2, random.between(2n, 20n)],
    ]),
    stakePerGb: random.pick([0n, 0n, 1n, 10n ** 6n, 10n ** 9n, 10n ** 12n]),
    maxRewardPerPeriod: random.pick([0n, 0n, 1n, 1_000_003n, 10n ** 10n, 10n ** 13n]),
    placementLagEras: random.pickWeighted([
      [6, 1n],
      [2, 2n],
      [1, random.between(3n, 64n)],
    ]),
    recordRetentionPeriods: random.pickWeighted([
      [3, random.between(1n, 10n)],
      [2, random.between(10n, 500n)],
    ]),
    adminDelayPeriods,
  }
}

/** A few settings changed, now and then beyond a bound. */
export function changeConfig(random: SeededRandom, config: Config): Config {
  const drawn = drawConfig(random)
  const changed: Record<string, bigint> = { ...config }
  const names = Object.keys(config) as (keyof Config)[]
  for (let i = 0, count = 1 + random.int(4); i < count; i++) {
    const name = random.pick(names)
    changed[name] = drawn[name]
  }
  if (random.chance(0.1)) {
    const name = random.pick(names)
    changed[name] = random.pick([0n, 101n, 54_001n, 1_000_001n, 0xffff_ffffn])
    if (name === 'requireAnchors') changed[name] = 1n
  }
  if (random.chance(0.85)) mend(random, changed, config)
  return changed as Config
}

/** Towards what the contract accepts. */
function mend(random: SeededRandom, changed: Record<string, bigint>, config: Config): void {
  const at = (name: keyof Config) => changed[name] ?? 0n
  if (at('minAllocatedGb') > at('maxAllocatedGb')) changed.maxAllocatedGb = at('minAllocatedGb')
  if (config.requireAnchors === 1n) changed.requireAnchors = 1n
  // Delays that nobody lives to see make the rest of a sequence dull.
  if (at('requireAnchors') === 1n && config.requireAnchors === 0n && random.chance(0.3)) changed.requireAnchors = 0n
  if (at('adminDelayPeriods') < config.adminDelayPeriods) changed.adminDelayPeriods = config.adminDelayPeriods
  if (at('requireAnchors') === 1n) {
    if (at('unbondingPeriods') < 256n) changed.unbondingPeriods = 256n
    const least = at('unbondingPeriods') + LEAST_NOTICE
    if (at('adminDelayPeriods') < least) changed.adminDelayPeriods = least
  }
}
