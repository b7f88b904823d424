import { ceilDiv, mulDiv, saturatingAdd, saturatingMul } from '../math';
import { RegistryState } from '../structs/RegistryState';
import { StorageConfig } from '../structs/StorageConfig';
import {
  RULES_ANCHORED,
  RULES_FREE,
  StorageNode,
} from '../structs/StorageNode';
import { Call } from './call';
import { emit, text } from './events';

/*
 * The reward index, and what moves with it. The index accrues before anything that changes weight, rate, pool,
 * anchors or pause, so who calls when changes nothing.
 */

const PPM: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;
/** What a declared GB is expected to carry at least, for r'. */
const PLACED_GB: u64 = 800_000_000;

/** r': copies that the network can pay for and hold, at least 1. */
export function computeReplicas(
  state: RegistryState,
  config: StorageConfig,
): u64 {
  let replicas = min<u64>(config.replicationFactor, state.activeNodes);
  if (state.anchoredBytes > 0) {
    const needed = max<u64>(1, ceilDiv(state.anchoredBytes, PLACED_GB));
    replicas = min<u64>(replicas, state.placementTotal / needed);
  }
  return max<u64>(1, replicas);
}

/** Freezes what placement of this era takes, before anything in the era changes it. */
export function sampleEra(
  state: RegistryState,
  config: StorageConfig,
  era: u64,
): void {
  if (state.sampledEra < era) takeSample(state, config, era);
}

export function takeSample(
  state: RegistryState,
  config: StorageConfig,
  era: u64,
): void {
  state.sampledEra = era;
  state.eraBytes = state.anchoredBytes;
  state.eraReplicas = <u32>computeReplicas(state, config);
  state.eraLag = config.placementLagEras;
  state.eraAnchors = config.requireAnchors;
}

/** Share of the declared GB that anchored history fills, millionths. */
function computeUtilisation(state: RegistryState, config: StorageConfig): u64 {
  if (!config.requireAnchors) return PPM;
  const copies = computeReplicas(state, config);
  return min<u64>(PPM, (state.anchoredBytes * copies) / (1000 * state.weight));
}

/** Moves the index to `now`. Paused spans and spans without weight are never paid. */
export function accrue(
  state: RegistryState,
  config: StorageConfig,
  now: u64,
): void {
  const periods = now - state.accruedPeriod;
  const weight = state.weight;
  state.accruedPeriod = now;
  if (state.paused || periods == 0 || weight == 0) return;
  let perGb = config.rewardPerGbPerPeriod * computeUtilisation(state, config);
  if (config.maxRewardPerPeriod > 0) {
    perGb = min<u64>(perGb, (config.maxRewardPerPeriod * PPM) / weight);
  }
  const low = (perGb % PPM) * periods + state.idxRem;
  let step = saturatingAdd(saturatingMul(perGb / PPM, periods), low / PPM);
  state.idxRem = <u32>(low % PPM);
  const affordable = state.pool / weight;
  if (step > affordable) {
    // What the pool cannot pay now is not made up later.
    step = affordable;
    state.idxRem = 0;
    state.shortSince = true;
  }
  const paid = step * weight;
  state.index += step;
  state.pool -= paid;
  state.owed += paid;
  state.accruedSince += paid;
}

/** Gives the node what the index moved since it was last settled. */
export function settle(state: RegistryState, node: StorageNode): void {
  node.unvested += node.weightGb * (state.index - node.indexPaid);
  node.indexPaid = state.index;
}

/** Brings weight, placement and vote of a node in line with its record, the config and the era. */
export function refresh(call: Call, node: StorageNode): void {
  const state = call.state;
  const config = call.config;
  settle(state, node);
  const counts =
    node.active &&
    (!config.requireAnchors ||
      (node.rules == RULES_ANCHORED && node.retentionPeriods == 0));
  const target = counts
    ? min<u64>(node.allocatedGb, computeCap(state, config))
    : 0;
  setPlacement(call, node, target);
  let weight = node.weightGb;
  let next = node.nextWeightGb;
  if (!config.requireAnchors) {
    weight = target;
    next = 0;
  } else {
    next = min<u64>(next, target);
    if (next > 0 && call.era >= node.nextWeightEra) {
      weight = max<u64>(weight, next);
      next = 0;
    }
    weight = min<u64>(weight, target);
    if (next <= weight) next = 0;
    if (target > weight && next == 0) {
      next = target;
      node.nextWeightEra = call.era + 1 + config.placementLagEras;
    }
  }
  node.nextWeightGb = next;
  setWeight(state, node, weight);
  setVote(call, node);
}

/** Most GB that a node is paid and placed for. It never falls: anchored bytes only grow. */
function computeCap(state: RegistryState, config: StorageConfig): u64 {
  if (!config.requireAnchors) return u64.MAX_VALUE;
  return max<u64>(1, ceilDiv(state.anchoredBytes, GB));
}

function setPlacement(call: Call, node: StorageNode, target: u64): void {
  if (target == node.placementGb) return;
  call.state.placementTotal += target - node.placementGb;
  if (node.placementEra < call.era) {
    node.previousPlacementGb = node.placementGb;
    node.placementEra = call.era;
  }
  node.placementGb = target;
}

function setWeight(state: RegistryState, node: StorageNode, weight: u64): void {
  if (weight == node.weightGb) return;
  state.weight += weight - node.weightGb;
  if (node.weightGb == 0) state.activeNodes++;
  if (weight == 0) state.activeNodes--;
  node.weightGb = weight;
}

/**
 * A vote is the stake of an active node that keeps for ever. Every call that changes one of these comes by here, and
 * nothing else changes it: neither history nor settings, and not who touches whom when.
 */
function setVote(call: Call, node: StorageNode): void {
  const keeps = node.active && node.retentionPeriods == 0;
  const vote = keeps ? node.stake : 0;
  if (vote == node.vote) return;
  const state = call.state;
  if (state.voteEra < call.era) {
    state.previousVotes = state.votes;
    state.voteEra = call.era;
  }
  state.votes += vote - node.vote;
  if (node.voteEra < call.era) {
    node.previousVote = node.vote;
    node.voteEra = call.era;
  }
  node.vote = vote;
}

/**
 * Ends all weight and placement when anchors become required: they were had for a stake, and for a retention, that the
 * new rules do not take. What each node accrued stays; it sees so itself when it is next read. Votes stay: a stake is
 * one under any rules.
 */
export function switchToAnchors(call: Call): void {
  const state = call.state;
  state.switchIndex = state.index;
  state.switchEra = call.era;
  state.weight = 0;
  state.activeNodes = 0;
  state.placementTotal = 0;
}

/** Rules that a stake is judged by today. */
export function currentRules(config: StorageConfig): u8 {
  return config.requireAnchors ? RULES_ANCHORED : RULES_FREE;
}

export function setRetention(
  call: Call,
  node: StorageNode,
  periods: u64,
): void {
  if (periods == node.retentionPeriods) return;
  if (node.retentionEra < call.era) {
    node.previousRetentionPeriods = node.retentionPeriods;
    node.retentionEra = call.era;
  }
  node.retentionPeriods = periods;
}

export function returnToPool(state: RegistryState, amount: u64): void {
  state.owed -= amount;
  state.pool += amount;
  state.returnedSince += amount;
}

/** What an audit makes of the rewards it decides about: nothing without challenges, else the share passed. */
export function calculateReward(accrued: u64, passed: u32, total: u32): u64 {
  return total == 0 ? 0 : mulDiv(accrued, passed, total);
}

/** Freezes what the node accrued since its last audit. */
export function openAudit(call: Call, node: StorageNode): void {
  settle(call.state, node);
  refresh(call, node);
  node.underAudit = node.unvested;
  node.unvested = 0;
  node.auditPassed = 0;
  node.auditTotal = 0;
}

/** Vests the passed share, once the last challenge of the audit is resolved. */
export function closeAudit(call: Call, node: StorageNode): void {
  let vested: u64 = 0;
  let returned: u64 = 0;
  if (node.auditTotal == 0) {
    // All void: as if there had been no audit.
    if (node.leaving) returned = node.underAudit;
    else node.unvested += node.underAudit;
  } else {
    vested = calculateReward(
      node.underAudit,
      node.auditPassed,
      node.auditTotal,
    );
    returned = node.underAudit - vested;
    node.pendingRewards += vested;
    if (node.auditPassed == node.auditTotal && node.strikePoints > 0) {
      // More points than a slash takes are left over from other settings.
      node.strikePoints =
        min<u32>(node.strikePoints, computeStrikeLimit(call.config)) - 1;
    }
  }
  returnToPool(call.state, returned);
  node.underAudit = 0;
  refresh(call, node);
  emit('AUDIT_CLOSED', [
    node.address,
    node.auditPassed.toString(),
    node.auditTotal.toString(),
    vested.toString(),
    returned.toString(),
  ]);
}

/** Points at which a node is slashed. */
export function computeStrikeLimit(config: StorageConfig): u32 {
  return config.strikesBeforeSlash * config.passesPerStrike;
}

/** nanoMAS that a node of this size must have at stake to be active. */
export function computeRequiredStake(config: StorageConfig, gb: u64): u64 {
  return max<u64>(config.minStake, config.stakePerGb * gb);
}

/** Takes the configured share of the stake for the pool. */
export function slash(call: Call, node: StorageNode): void {
  const amount = mulDiv(node.stake, call.config.slashPercentage, 100);
  node.stake -= amount;
  node.slashedTotal += amount;
  node.strikePoints = 0;
  call.state.stakes -= amount;
  call.state.pool += amount;
  if (node.stake < computeRequiredStake(call.config, node.allocatedGb)) {
    node.active = false;
  }
  refresh(call, node);
  emit('NODE_SLASHED', [
    node.address,
    amount.toString(),
    node.stake.toString(),
    text(node.active),
  ]);
}
