import { CONFIG_INVALID } from '../errors';
import { StorageConfig } from '../structs/StorageConfig';
import { emit, text } from './events';

/** Periods that everybody has to leave after a change is announced, beyond their unbonding. */
const LEAVE_PERIODS: u64 = 2_700;
/** Two eras: the record of a leaving node outlives them. */
const MIN_ANCHOR_UNBONDING: u64 = 256;

function check(value: u64, low: u64, high: u64, field: string): void {
  assert(value >= low && value <= high, CONFIG_INVALID + field);
}

/** Refuses (REGISTRY_CONFIG_INVALID) what would overflow, lock or cheat somebody. */
export function checkConfig(c: StorageConfig): void {
  check(c.rewardPerGbPerPeriod, 0, 10_000_000_000, 'rewardPerGbPerPeriod');
  check(c.maxAllocatedGb, 1, 1_000_000, 'maxAllocatedGb');
  check(c.minAllocatedGb, 1, c.maxAllocatedGb, 'minAllocatedGb');
  check(
    c.challengeResponseTimeout,
    32_000,
    3_600_000,
    'challengeResponseTimeout',
  );
  check(c.slashPercentage, 0, 100, 'slashPercentage');
  check(c.minStake, 0, 1_000_000_000_000_000, 'minStake');
  check(c.samplesPerChallenge, 1, 64, 'samplesPerChallenge');
  check(c.maxOpenChallengesPerNode, 1, 8, 'maxOpenChallengesPerNode');
  check(c.strikesBeforeSlash, 1, 100, 'strikesBeforeSlash');
  check(c.strikeSpacingPeriods, 1, 54_000, 'strikeSpacingPeriods');
  check(
    c.unbondingPeriods,
    c.requireAnchors ? MIN_ANCHOR_UNBONDING : 0,
    54_000,
    'unbondingPeriods',
  );
  check(c.replicationFactor, 1, 8, 'replicationFactor');
  check(c.anchorQuorumPpm, 500_001, 1_000_000, 'anchorQuorumPpm');
  check(c.maxNodes, 0, 100_000, 'maxNodes');
  check(c.passesPerStrike, 1, 1_000, 'passesPerStrike');
  check(c.minChallengeIntervalPeriods, 0, 5_400, 'minChallengeIntervalPeriods');
  check(c.stakePerGb, 0, 1_000_000_000_000, 'stakePerGb');
  check(c.maxRewardPerPeriod, 0, 10_000_000_000_000, 'maxRewardPerPeriod');
  check(c.placementLagEras, 1, 64, 'placementLagEras');
  check(c.recordRetentionPeriods, 1, 54_000, 'recordRetentionPeriods');
  check(
    c.adminDelayPeriods,
    c.requireAnchors ? c.unbondingPeriods + LEAVE_PERIODS : 0,
    54_000,
    'adminDelayPeriods',
  );
}

/** What may only ever get stricter. */
export function checkConfigChange(
  old: StorageConfig,
  now: StorageConfig,
): void {
  assert(
    now.adminDelayPeriods >= old.adminDelayPeriods,
    CONFIG_INVALID + 'adminDelayPeriods',
  );
  assert(
    now.requireAnchors || !old.requireAnchors,
    CONFIG_INVALID + 'requireAnchors',
  );
}

function changed(field: string, old: u64, now: u64): void {
  if (old != now)
    emit('CONFIG_UPDATED', [field, old.toString(), now.toString()]);
}

/** CONFIG_UPDATED(field, old, new) once per changed field: at most 22 of the 25 events. */
export function emitConfigChanges(a: StorageConfig, b: StorageConfig): void {
  changed(
    'rewardPerGbPerPeriod',
    a.rewardPerGbPerPeriod,
    b.rewardPerGbPerPeriod,
  );
  changed('minAllocatedGb', a.minAllocatedGb, b.minAllocatedGb);
  changed('maxAllocatedGb', a.maxAllocatedGb, b.maxAllocatedGb);
  changed(
    'challengeResponseTimeout',
    a.challengeResponseTimeout,
    b.challengeResponseTimeout,
  );
  changed('slashPercentage', a.slashPercentage, b.slashPercentage);
  changed('minStake', a.minStake, b.minStake);
  changed('samplesPerChallenge', a.samplesPerChallenge, b.samplesPerChallenge);
  changed(
    'maxOpenChallengesPerNode',
    a.maxOpenChallengesPerNode,
    b.maxOpenChallengesPerNode,
  );
  changed('strikesBeforeSlash', a.strikesBeforeSlash, b.strikesBeforeSlash);
  changed(
    'strikeSpacingPeriods',
    a.strikeSpacingPeriods,
    b.strikeSpacingPeriods,
  );
  changed('unbondingPeriods', a.unbondingPeriods, b.unbondingPeriods);
  changed('replicationFactor', a.replicationFactor, b.replicationFactor);
  changed('anchorQuorumPpm', a.anchorQuorumPpm, b.anchorQuorumPpm);
  if (a.requireAnchors != b.requireAnchors) {
    const values = [text(a.requireAnchors), text(b.requireAnchors)];
    emit('CONFIG_UPDATED', ['requireAnchors', values[0], values[1]]);
  }
  changed('maxNodes', a.maxNodes, b.maxNodes);
  changed('passesPerStrike', a.passesPerStrike, b.passesPerStrike);
  changed(
    'minChallengeIntervalPeriods',
    a.minChallengeIntervalPeriods,
    b.minChallengeIntervalPeriods,
  );
  changed('stakePerGb', a.stakePerGb, b.stakePerGb);
  changed('maxRewardPerPeriod', a.maxRewardPerPeriod, b.maxRewardPerPeriod);
  changed('placementLagEras', a.placementLagEras, b.placementLagEras);
  changed(
    'recordRetentionPeriods',
    a.recordRetentionPeriods,
    b.recordRetentionPeriods,
  );
  changed('adminDelayPeriods', a.adminDelayPeriods, b.adminDelayPeriods);
}
