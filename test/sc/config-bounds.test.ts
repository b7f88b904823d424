import assert from 'node:assert/strict'
import { ArgsWriter } from '../reference/args-writer.ts'
import {
  ADMIN,
  type ConfigField,
  type ConfigValues,
  call,
  deployRegistry,
  encodeConfig,
  goTo,
  MAS,
  makeChain,
  tryCall,
  tryDeploy,
} from './registry-world.ts'

/** docs/CONTRACT.md, Configuration: the least and the most of each field, and what else they need. */
interface Bound {
  readonly field: ConfigField
  readonly least: bigint
  readonly most: bigint
  readonly beside?: ConfigValues
}

/** Settings with `requireAnchors` whose delay leaves room for any unbonding. */
const ANCHORED: ConfigValues = { requireAnchors: 1n, unbondingPeriods: 256n, adminDelayPeriods: 54_000n }
const BOUNDS: readonly Bound[] = [
  { field: 'rewardPerGbPerPeriod', least: 0n, most: 10n ** 10n },
  { field: 'minAllocatedGb', least: 1n, most: 500n, beside: { maxAllocatedGb: 500n } },
  { field: 'maxAllocatedGb', least: 1n, most: 10n ** 6n },
  { field: 'maxAllocatedGb', least: 7n, most: 10n ** 6n, beside: { minAllocatedGb: 7n } },
  { field: 'challengeResponseTimeout', least: 32_000n, most: 3_600_000n },
  { field: 'slashPercentage', least: 0n, most: 100n },
  { field: 'minStake', least: 0n, most: 10n ** 15n },
  { field: 'samplesPerChallenge', least: 1n, most: 64n },
  { field: 'maxOpenChallengesPerNode', least: 1n, most: 8n },
  { field: 'strikesBeforeSlash', least: 1n, most: 100n },
  { field: 'strikeSpacingPeriods', least: 1n, most: 54_000n },
  { field: 'unbondingPeriods', least: 0n, most: 54_000n },
  { field: 'unbondingPeriods', least: 256n, most: 54_000n - 2700n, beside: ANCHORED },
  { field: 'replicationFactor', least: 1n, most: 8n },
  { field: 'anchorQuorumPpm', least: 500_001n, most: 1_000_000n },
  { field: 'maxNodes', least: 0n, most: 100_000n },
  { field: 'passesPerStrike', least: 1n, most: 1000n },
  { field: 'minChallengeIntervalPeriods', least: 0n, most: 5400n },
  { field: 'stakePerGb', least: 0n, most: 10n ** 12n },
  { field: 'maxRewardPerPeriod', least: 0n, most: 10n ** 13n },
  { field: 'placementLagEras', least: 1n, most: 64n },
  { field: 'recordRetentionPeriods', least: 1n, most: 54_000n },
  { field: 'adminDelayPeriods', least: 0n, most: 54_000n },
  { field: 'adminDelayPeriods', least: 256n + 2700n, most: 54_000n, beside: ANCHORED },
  { field: 'adminDelayPeriods', least: 5400n + 2700n, most: 54_000n, beside: { ...ANCHORED, unbondingPeriods: 5400n } },
]

/** Error of a deployment with these settings, if any. */
function deploy(values: ConfigValues): string | undefined {
  const args = new ArgsWriter().string(ADMIN.address).raw(encodeConfig(values)).finish()
  return tryDeploy(makeChain(), args).error
}

function isRefused(error: string | undefined, field: string): boolean {
  return new RegExp(`REGISTRY_CONFIG_INVALID: [^@]*${field}`).test(error ?? '')
}

describe('sc: bounds of the configuration', () => {
  it('every number of the configuration has its bounds here', () => {
    const fields = new Set<string>(BOUNDS.map(({ field }) => field))
    assert.equal(fields.size, 21)
  })

  for (const { field, least, most, beside = {} } of BOUNDS) {
    const others = Object.entries(beside).filter(([name]) => name !== field)
    const given = others.length > 0 ? ` beside ${others.map(([name, value]) => `${name} ${value}`).join(', ')}` : ''
    it(`${field} is ${least} to ${most}${given}`, () => {
      for (const value of [least, most]) assert.equal(deploy({ ...beside, [field]: value }), undefined, `${value}`)
      const outside = least > 0n ? [least - 1n, most + 1n] : [most + 1n]
      for (const value of outside) {
        const error = deploy({ ...beside, [field]: value })
        // The least that anchors leave of the unbonding is said of the delay.
        const named =
          field === 'unbondingPeriods' && value > most && beside.requireAnchors ? 'adminDelayPeriods' : field
        const names = field === 'maxAllocatedGb' && value < least && value > 0n ? 'minAllocatedGb' : named
        assert.ok(isRefused(error, names), `${value}: ${error}`)
      }
    })
  }

  it('a change is held to the same bounds, and applied at the last of them', () => {
    const world = deployRegistry()
    for (const { field, least, most, beside = {} } of BOUNDS.filter((bound) => !bound.beside?.requireAnchors)) {
      // What only rises is tried last.
      if (field === 'adminDelayPeriods') continue
      for (const [value, isGood] of [
        [most, true],
        [most + 1n, false],
        [least, true],
      ] as const) {
        const { ok, error } = tryCall(world, ADMIN, 'updateConfig', encodeConfig({ ...beside, [field]: value }), MAS)
        assert.equal(ok, isGood, `${field} ${value}: ${error}`)
      }
    }
    goTo(world, 20)
    call(world, ADMIN, 'updateConfig', encodeConfig({ adminDelayPeriods: 54_000n }), MAS)
    const { error } = tryCall(world, ADMIN, 'updateConfig', encodeConfig({ adminDelayPeriods: 53_999n }), MAS)
    assert.ok(isRefused(error, 'adminDelayPeriods'), error)
  })
})
