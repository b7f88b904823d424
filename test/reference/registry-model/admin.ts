import { isArchiveError, parseAddress, toHex } from '../../../core/index.ts'
import { ArgsReader } from './args.ts'
import type { Context } from './call.ts'
import { type Config, checkConfig, formatSetting, readConfig } from './config.ts'
import { CONFIG_FIELDS } from './layout.ts'
import { demand } from './refusal.ts'
import { switchToAnchors } from './rewards.ts'
import { type Announcement, ERA_PERIODS, type RegistryState } from './state.ts'
import { hashAll } from './tree.ts'

/*
 * The admin's functions, distribution and pruning (design: Admin, Rewards, Storage keys).
 */

const MAX_ADDRESS_BYTES = 53
const MAX_PRUNED = 20
/** An announced change that nobody applied for so long has to be announced again. */
const MOST_APPLY_PERIODS = 5400n
/** Magic and version 1. */
const WASM_HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00] as const

export function readNothing({ parameter }: { readonly parameter: Uint8Array }): undefined {
  new ArgsReader(parameter).end()
}

export function readText({ parameter }: { readonly parameter: Uint8Array }): string {
  const args = new ArgsReader(parameter)
  const text = args.string()
  args.end()
  return text
}

/** The text of an address; only its length is looked at. */
export function readAddress(call: { readonly parameter: Uint8Array }): string {
  const address = readText(call)
  demand(address.length >= 1 && address.length <= MAX_ADDRESS_BYTES, 'ADDRESS_INVALID')
  return address
}

export function readFlag({ parameter }: { readonly parameter: Uint8Array }): boolean {
  const args = new ArgsReader(parameter)
  const flag = args.bool()
  args.end()
  return flag
}

export function readNumber({ parameter }: { readonly parameter: Uint8Array }): bigint {
  const args = new ArgsReader(parameter)
  const number = args.u64()
  args.end()
  return number
}

export function readBytecode({ parameter }: { readonly parameter: Uint8Array }): Uint8Array {
  const args = new ArgsReader(parameter)
  const bytecode = args.bytesField()
  args.end()
  return bytecode
}

/** The right to call comes before the arguments here: they are read against the settings in force. */
export function updateConfig(state: RegistryState, context: Context): void {
  requireAdmin(state, context)
  const { parameter } = context.call
  const config = readConfig(new ArgsReader(parameter), state.config)
  checkConfig(config, state.config)
  if (CONFIG_FIELDS.every(([name]) => config[name] === state.config[name])) {
    if (state.pendingConfig) context.effects.emit('ADMIN_WITHDRAWN', 'config', toHex(state.pendingConfig.sha256))
    state.pendingConfig = undefined
    return
  }
  const step = announce(context, {
    what: 'config',
    announced: state.pendingConfig,
    hash: hashAll(parameter),
    delay: state.config.adminDelayPeriods,
  })
  state.pendingConfig = step
  if (step) return
  applyConfig(state, context, config)
}

export function upgrade(state: RegistryState, context: Context, bytecode: Uint8Array): void {
  requireAdmin(state, context)
  demand(isWasm(bytecode), 'CODE_INVALID')
  const hash = hashAll(bytecode)
  const delay = state.config.adminDelayPeriods
  state.pendingCode = announce(context, { what: 'code', announced: state.pendingCode, hash, delay })
  if (state.pendingCode) return
  context.effects.bytecode = bytecode
  context.effects.emit('CODE_UPGRADED', toHex(hash))
}

/** Begins as every module does, and something follows. */
function isWasm(bytecode: Uint8Array): boolean {
  return bytecode.length > WASM_HEADER.length && WASM_HEADER.every((byte, i) => bytecode[i] === byte)
}

/** What is announced after this call; undefined when the change is due. */
function announce(
  { now, effects }: Context,
  change: {
    readonly what: string
    readonly announced: Announcement | undefined
    readonly hash: Uint8Array
    readonly delay: bigint
  },
): Announcement | undefined {
  if (change.delay === 0n) return undefined
  if (change.announced && toHex(change.announced.sha256) === toHex(change.hash)) {
    const due = change.announced.announcedPeriod + change.delay
    demand(now >= due, 'TOO_EARLY')
    if (now <= due + MOST_APPLY_PERIODS) return undefined
  }
  effects.emit('ADMIN_ANNOUNCED', change.what, toHex(change.hash), now + change.delay)
  return { sha256: change.hash, announcedPeriod: now }
}

function applyConfig(state: RegistryState, { era, effects }: Context, config: Config): void {
  for (const [name] of CONFIG_FIELDS) {
    if (config[name] === state.config[name]) continue
    effects.emit('CONFIG_UPDATED', name, formatSetting(name, state.config[name]), formatSetting(name, config[name]))
  }
  if (config.requireAnchors > state.config.requireAnchors) switchToAnchors(state, era)
  state.config = config
}

export function addChallenger(state: RegistryState, context: Context, address: string): void {
  requireAdmin(state, context)
  requireAddress(address)
  demand(!state.challengers.has(address), 'CHALLENGER_KNOWN')
  state.challengers.set(address, context.now)
  context.effects.emit('CHALLENGER_ADDED', address)
}

export function removeChallenger(state: RegistryState, context: Context, address: string): void {
  requireAdmin(state, context)
  requireAddress(address)
  demand(state.challengers.delete(address), 'CHALLENGER_UNKNOWN')
  context.effects.emit('CHALLENGER_REMOVED', address)
}

export function setPaused(state: RegistryState, context: Context, paused: boolean): void {
  requireAdmin(state, context)
  if (paused === state.paused) return
  state.paused = paused
  context.effects.emit('PAUSED_SET', paused)
}

export function transferAdmin(state: RegistryState, context: Context, address: string): void {
  requireAdmin(state, context)
  requireAddress(address)
  state.pendingAdmin = address
  context.effects.emit('ADMIN_PROPOSED', address)
}

export function acceptAdmin(state: RegistryState, { call, effects }: Context): void {
  demand(state.pendingAdmin === call.caller, 'NOT_PENDING_ADMIN')
  effects.emit('ADMIN_CHANGED', state.admin, call.caller)
  state.admin = call.caller
  state.pendingAdmin = undefined
}

export function distributeRewards(state: RegistryState, { now, effects }: Context, period: bigint): void {
  demand(!state.paused, 'PAUSED')
  demand(period > state.lastDistributedPeriod, 'PERIOD_DISTRIBUTED')
  demand(period < now, 'PERIOD_NOT_OVER')
  const stats = state.periods.get(period)
  state.periods.set(period, {
    period,
    totalGbStored: stats ? stats.totalGbStored : state.weight,
    activeNodes: stats ? stats.activeNodes : state.activeNodes,
    challengesIssued: stats?.challengesIssued ?? 0n,
    challengesPassed: stats?.challengesPassed ?? 0n,
    totalRewardsDistributed: state.accruedSince,
    rewardsReturned: state.returnedSince,
  })
  effects.emit('REWARDS_DISTRIBUTED', period, state.accruedSince, state.activeNodes)
  if (state.shortSince) effects.emit('POOL_SHORT', period)
  state.lastDistributedPeriod = period
  state.accruedSince = 0n
  state.returnedSince = 0n
  state.shortSince = false
}

export function readPrune({ parameter }: { readonly parameter: Uint8Array }) {
  const args = new ArgsReader(parameter)
  const kind = args.u8()
  const ids = args.strings(MAX_PRUNED)
  args.end()
  return { kind, ids }
}

export function prune(
  state: RegistryState,
  { call, now, era, effects }: Context,
  { kind, ids }: ReturnType<typeof readPrune>,
): void {
  demand(kind <= 2, 'KIND_UNKNOWN')
  demand(ids.length >= 1, 'BATCH_INVALID')
  const keep = state.config.recordRetentionPeriods
  let pruned = 0
  for (const id of ids) {
    let isDue = false
    if (kind === 0) {
      const challenge = state.challenges.get(id)
      const wait = challenge?.issuer === call.caller ? keep : 2n * keep
      isDue = challenge !== undefined && challenge.outcome !== 'open' && challenge.issuedPeriod + wait < now
      if (isDue) state.challenges.delete(id)
    } else if (kind === 1) {
      const stats = [...state.periods.values()].find(({ period }) => String(period) === id)
      isDue = stats !== undefined && stats.period + 2n * keep < now
      if (stats && isDue) state.periods.delete(stats.period)
    } else {
      const vote = state.votes.get(id) ?? state.votePages.get(id)
      isDue = vote !== undefined && vote.snapshotEra < era && vote.snapshotEra * ERA_PERIODS + 2n * keep < now
      if (isDue) {
        state.votes.delete(id)
        state.votePages.delete(id)
      }
    }
    if (isDue) pruned++
  }
  demand(pruned > 0, 'NOTHING_PRUNED')
  effects.emit('RECORDS_PRUNED', BigInt(kind), BigInt(pruned))
}

export function isAddress(text: string): boolean {
  try {
    parseAddress(text)
    return true
  } catch (error) {
    if (isArchiveError(error, 'CORE_BASE58_INVALID')) return false
    throw error
  }
}

function requireAddress(text: string): void {
  demand(isAddress(text), 'ADDRESS_INVALID')
}

function requireAdmin(state: RegistryState, { call }: Context): void {
  demand(call.caller === state.admin, 'NOT_ADMIN')
}
