import { ArgsReader } from './args.ts'
import type { Context } from './call.ts'
import { EraValue } from './era-value.ts'
import { demand } from './refusal.ts'
import { computeRequiredStake, refresh, returnToPool, settle } from './rewards.ts'
import { NEVER, type Node, type Profile, type RegistryState } from './state.ts'

/*
 * Registering, changing, leaving (design: Money, Leaving).
 */

const MAX_P2P_ADDRS = 8
const MAX_P2P_ADDR_BYTES = 128
const MAX_ENDPOINT_BYTES = 256
const MAX_LOCATION_BYTES = 64
const MAX_OPERATOR_BYTES = 64
const EMPTY_PROFILE: Profile = { p2pAddrs: [], endpoint: '', location: '', operator: '' }

/** The node, to be changed. */
export function requireNode(state: RegistryState, address: string): Node {
  const node = state.openNode(address)
  demand(node !== undefined, 'NODE_UNKNOWN')
  return node
}

export function readRegister({ parameter }: { readonly parameter: Uint8Array }) {
  const args = new ArgsReader(parameter)
  const allocatedGb = args.u64()
  const retentionPeriods = args.atEnd ? 0n : args.u64()
  const stake = args.atEnd ? undefined : args.u64()
  args.end()
  return { allocatedGb, retentionPeriods, stake }
}

export function registerStorageNode(
  state: RegistryState,
  context: Context,
  wanted: ReturnType<typeof readRegister>,
): void {
  const { call, now, era, effects } = context
  const { allocatedGb, retentionPeriods } = wanted
  demand(!state.paused, 'PAUSED')
  demand(call.caller.startsWith('AU'), 'CALLER_NOT_USER')
  demand(state.findNode(call.caller) === undefined, 'NODE_EXISTS')
  demand(BigInt(state.nodes.length) < state.config.maxNodes, 'FULL')
  checkGb(state, allocatedGb)
  const required = computeRequiredStake(state, allocatedGb)
  const stake = wanted.stake ?? required
  demand(stake >= required, 'STAKE_LOW')
  demand(call.coinsNanoMas >= stake, 'COINS_SHORT')
  const node: Node = {
    address: call.caller,
    allocatedGb,
    registeredPeriod: now,
    totalChallenges: 0n,
    passedChallenges: 0n,
    pendingRewards: 0n,
    lastChallengedPeriod: 0n,
    active: true,
    stake,
    unvested: 0n,
    underAudit: 0n,
    indexPaid: state.index,
    weightGb: 0n,
    vote: new EraValue(),
    nextWeightGb: 0n,
    nextWeightEra: 0n,
    placement: new EraValue(),
    retention: new EraValue(),
    openChallenges: 0n,
    auditPassed: 0n,
    auditTotal: 0n,
    auditPeriod: 0n,
    strikePoints: 0n,
    lastStrikePeriod: NEVER,
    leaving: false,
    unlockPeriod: 0n,
    lastChallenger: '',
    slashedTotal: 0n,
    rules: state.config.requireAnchors,
    movedEra: 0n,
  }
  node.retention.set(era, retentionPeriods)
  state.records.push(node)
  state.registryVersion += 1n
  refresh(state, node, now)
  effects.emit('STORAGE_NODE_REGISTERED', node.address, allocatedGb)
}

export function readUpdate({ parameter }: { readonly parameter: Uint8Array }) {
  const args = new ArgsReader(parameter)
  const allocatedGb = args.u64()
  const retentionPeriods = args.atEnd ? undefined : args.u64()
  args.end()
  return { allocatedGb, retentionPeriods }
}

export function updateStorageAllocation(
  state: RegistryState,
  { call, now, era, effects }: Context,
  { allocatedGb, retentionPeriods }: ReturnType<typeof readUpdate>,
): void {
  demand(!state.paused, 'PAUSED')
  const node = requireNode(state, call.caller)
  demand(!node.leaving, 'NODE_LEAVING')
  checkGb(state, allocatedGb)
  const before = node.allocatedGb
  const isCovered = node.stake >= computeRequiredStake(state, allocatedGb)
  demand(allocatedGb <= before || isCovered, 'STAKE_LOW')
  node.allocatedGb = allocatedGb
  if (retentionPeriods !== undefined) node.retention.set(era, retentionPeriods)
  node.active = isCovered
  if (isCovered) node.rules = state.config.requireAnchors
  refresh(state, node, now)
  effects.emit('STORAGE_NODE_UPDATED', node.address, before, allocatedGb)
}

export function topUpStake(state: RegistryState, { call, now, effects }: Context): void {
  const node = requireNode(state, call.caller)
  demand(!node.leaving, 'NODE_LEAVING')
  demand(call.coinsNanoMas > 0n, 'AMOUNT_ZERO')
  node.stake += call.coinsNanoMas
  node.active = node.stake >= computeRequiredStake(state, node.allocatedGb)
  if (node.active) node.rules = state.config.requireAnchors
  refresh(state, node, now)
  effects.emit('STAKE_ADDED', node.address, call.coinsNanoMas, node.stake, node.active)
}

/** Takes donations, too: what nobody owns becomes rewards. */
export function fundRewards(state: RegistryState, context: Context): void {
  const amount = context.call.coinsNanoMas + context.surplus
  demand(amount > 0n, 'AMOUNT_ZERO')
  state.pool += amount
  context.surplus = 0n
  context.effects.emit('REWARDS_FUNDED', amount)
}

/** First call: out of everything; later: stake and rewards, once nothing is open and the time is over. */
export function unregisterStorageNode(state: RegistryState, context: Context): void {
  const { call, now, era, effects } = context
  const node = requireNode(state, call.caller)
  if (!node.leaving) {
    settle(state, node)
    returnToPool(state, node.unvested)
    node.unvested = 0n
    node.leaving = true
    node.active = false
    node.unlockPeriod = now + state.config.unbondingPeriods
    refresh(state, node, now)
    effects.emit('STORAGE_NODE_UNREGISTERED', node.address, node.stake)
    if (state.config.unbondingPeriods > 0n || node.openChallenges > 0n) return
  }
  demand(node.openChallenges === 0n, 'CHALLENGES_OPEN')
  demand(now >= node.unlockPeriod, 'UNBONDING')
  effects.emit('STAKE_WITHDRAWN', node.address, node.stake + node.pendingRewards)
  removeNode(state, node, era)
}

export function claimRewards(state: RegistryState, { call, effects }: Context): void {
  const node = requireNode(state, call.caller)
  demand(node.pendingRewards > 0n, 'NOTHING_TO_CLAIM')
  effects.emit('REWARDS_CLAIMED', node.address, node.pendingRewards)
  node.pendingRewards = 0n
}

export function readMetadata({ parameter }: { readonly parameter: Uint8Array }): Profile {
  const args = new ArgsReader(parameter)
  const p2pAddrs = args.strings(MAX_P2P_ADDRS, 'METADATA_INVALID')
  const profile = { p2pAddrs, endpoint: args.string(), location: args.string(), operator: args.string() }
  args.end()
  return profile
}

export function updateNodeMetadata(state: RegistryState, { call, era, effects }: Context, profile: Profile): void {
  for (const address of profile.p2pAddrs) checkText(address, MAX_P2P_ADDR_BYTES)
  checkText(profile.endpoint, MAX_ENDPOINT_BYTES)
  checkText(profile.location, MAX_LOCATION_BYTES)
  checkText(profile.operator, MAX_OPERATOR_BYTES)
  const node = state.findNode(call.caller)
  demand(node !== undefined, 'NODE_UNKNOWN')
  const before = state.metadata.get(node.address) ?? NO_METADATA
  // What was announced for a later era never was in force, so it leaves no trace.
  const previous = before.fromEra <= era ? before.current : before.previous
  state.metadata.set(node.address, { fromEra: era + 1n, current: profile, previous })
  effects.emit('METADATA_UPDATED', node.address, era + 1n)
}

export const NO_METADATA = { fromEra: 0n, current: EMPTY_PROFILE, previous: EMPTY_PROFILE } as const

/** The last node takes the place of the one that goes. */
function removeNode(state: RegistryState, node: Node, era: bigint): void {
  const last = requireNode(state, state.records.at(-1)?.address ?? '')
  state.records.pop()
  if (last !== node) {
    state.records[state.records.indexOf(node)] = last
    last.movedEra = era
  }
  state.metadata.delete(node.address)
  state.registryVersion += 1n
}

function checkGb(state: RegistryState, allocatedGb: bigint): void {
  const { minAllocatedGb, maxAllocatedGb } = state.config
  demand(allocatedGb >= minAllocatedGb && allocatedGb <= maxAllocatedGb, 'GB_OUT_OF_RANGE')
}

function checkText(text: string, limitBytes: number): void {
  demand(text.length <= limitBytes && /^[\x20-\x7e]*$/.test(text), 'METADATA_INVALID')
}
