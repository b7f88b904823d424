import { greatest, least } from './extremes.ts'
import { ERA_PERIODS, type Node, type RegistryState } from './state.ts'

/*
 * The reward accumulator (design: Rewards).
 */

const PPM = 1_000_000n
const BYTES_PER_GB = 1_000_000_000n
/** Bytes for which one GB of placement counts: a fifth is kept free. */
const PLANNED_BYTES_PER_GB = 800_000_000n

/** Copies that the registered capacity allows now; never less than one. */
export function computeReplicas(state: RegistryState): bigint {
  const bytes = state.anchoredBytes
  const byRoom = bytes > 0n ? [state.placementTotal / ceilDivide(bytes, PLANNED_BYTES_PER_GB)] : []
  return greatest(1n, least(state.config.replicationFactor, state.activeNodes, ...byRoom))
}

/** Fixes what the placement of the current era is made from. */
export function sampleEra(state: RegistryState, period: bigint): void {
  const era = period / ERA_PERIODS
  if (state.sampledEra < era) takeSample(state, era)
}

export function takeSample(state: RegistryState, era: bigint): void {
  state.sampledEra = era
  state.eraBytes = state.anchoredBytes
  state.eraReplicas = computeReplicas(state)
  state.eraLag = state.config.placementLagEras
  state.eraAnchors = state.config.requireAnchors
}

/** Sets aside what the periods since the last call are worth. */
export function accrue(state: RegistryState, now: bigint): void {
  const periods = now - state.accruedPeriod
  state.accruedPeriod = now
  const { weight, config } = state
  if (state.paused || periods === 0n || weight === 0n) return
  const utilisation =
    config.requireAnchors === 1n ? least(PPM, (state.anchoredBytes * computeReplicas(state)) / (1000n * weight)) : PPM
  let perGb = config.rewardPerGbPerPeriod * utilisation
  if (config.maxRewardPerPeriod > 0n) perGb = least(perGb, (config.maxRewardPerPeriod * PPM) / weight)
  const due = perGb * periods + state.indexRemainder
  let step = due / PPM
  state.indexRemainder = due % PPM
  if (step > state.pool / weight) {
    step = state.pool / weight
    state.indexRemainder = 0n
    state.shortSince = true
  }
  state.index += step
  state.pool -= step * weight
  state.accruedSince += step * weight
}

/** What the node's weight has earned becomes its own, unvested. */
export function settle(state: RegistryState, node: Node): void {
  node.unvested += node.weightGb * (state.index - node.indexPaid)
  node.indexPaid = state.index
}

/** Brings placement, weight and vote to what the node may have now. */
export function refresh(state: RegistryState, node: Node, now: bigint): void {
  settle(state, node)
  const era = now / ERA_PERIODS
  const target = computeTarget(state, node)
  node.placement.set(era, target)
  node.vote.set(era, computeVote(node))
  state.totalVotes.set(era, state.voteSum)
  if (state.config.requireAnchors === 0n) {
    node.nextWeightGb = 0n
    node.weightGb = target
    return
  }
  let weight = node.weightGb
  let next = least(node.nextWeightGb, target)
  if (next > 0n && era >= node.nextWeightEra) {
    if (next > weight) weight = next
    next = 0n
  }
  weight = least(weight, target)
  if (next <= weight) next = 0n
  if (target > weight && next === 0n) {
    next = target
    node.nextWeightEra = era + 1n + state.config.placementLagEras
  }
  node.nextWeightGb = next
  node.weightGb = weight
}

/** Back to the pool from what was set aside; the caller takes it from the node. */
export function returnToPool(state: RegistryState, amount: bigint): void {
  state.pool += amount
  state.returnedSince += amount
}

/** What a node must have staked for `allocatedGb`, by today's config. */
export function computeRequiredStake(state: RegistryState, allocatedGb: bigint): bigint {
  const { minStake, stakePerGb } = state.config
  return greatest(minStake, stakePerGb * allocatedGb)
}

/** Takes the slashed part of the stake into the pool; returns it. */
export function slash(state: RegistryState, node: Node, now: bigint): bigint {
  const percent = state.config.slashPercentage
  const amount = (node.stake / 100n) * percent + ((node.stake % 100n) * percent) / 100n
  node.stake -= amount
  state.pool += amount
  node.slashedTotal += amount
  node.strikePoints = 0n
  if (node.stake < computeRequiredStake(state, node.allocatedGb)) node.active = false
  refresh(state, node, now)
  return amount
}

function computeTarget(state: RegistryState, node: Node): bigint {
  if (!node.active) return 0n
  if (state.config.requireAnchors === 0n) return node.allocatedGb
  if (node.rules === 0n || node.retention.value !== 0n) return 0n
  return least(node.allocatedGb, greatest(1n, ceilDivide(state.anchoredBytes, BYTES_PER_GB)))
}

/** What is at stake by who keeps for ever and means to stay. */
function computeVote(node: Node): bigint {
  return node.active && !node.leaving && node.retention.value === 0n ? node.stake : 0n
}

/** Anchors come to be required: what counted without them counts no more. */
export function switchToAnchors(state: RegistryState, era: bigint): void {
  state.switched = { index: state.index, era }
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b
}
