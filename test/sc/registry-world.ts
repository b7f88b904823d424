import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DEPLOYER_BYTECODE, populateDatastore } from '@massalabs/massa-web3'
import { computeAddress, encodeSignatureArgument, formatAddress, signText } from '../../core/index.ts'
import { ContractEngine, ModuleCache, type OperationOutcome, type ReadOnlyOutcome } from '../../devnet/engine/index.ts'
import { ArgsWriter, NO_ARGS } from '../reference/args-writer.ts'
import { checkInvariants, readSurplus, readTotalNodes } from './registry-records.ts'

export const MAS = 1_000_000_000n
export const FEE = MAS / 100n
export const CHAIN_ID = 77n
export const DEPLOY_PERIOD = 10
/** What a call may use at most. */
export const MAX_GAS = 4_000_000_000n
export const REGISTRY_WASM: Uint8Array = readFileSync(
  new URL('../../massa-storage-sc/build/storage-registry.wasm', import.meta.url),
)
const USER_MAS = 1_000_000n
const MAX_WATCHED_NODES = 200n
const modules = new ModuleCache()

/** Someone with a key. */
export interface User {
  readonly seed: Uint8Array
  readonly address: string
}

const users = new Map<number, User>()

/** The same number is the same user in every world. */
export function userOf(number: number): User {
  let user = users.get(number)
  if (!user) {
    const seed = new Uint8Array(createHash('sha256').update(`user ${number}`).digest())
    user = { seed, address: formatAddress(computeAddress(signText(seed, '').publicKey)) }
    users.set(number, user)
  }
  return user
}

export const ADMIN = userOf(0)
export const CHALLENGER = userOf(1)
export const OTHER_CHALLENGER = userOf(2)
export const ANYONE = userOf(3)
export const NODE = userOf(4)
export const OTHER_NODE = userOf(5)
/** Users below it have coins in every world; `fund` is for others. */
const FUNDED_USERS = 40

/** `<key>:<signature>`, as contract calls carry it. */
export function signAs(user: User, text: string): Uint8Array {
  return encodeSignatureArgument(signText(user.seed, text))
}

/** Fields of the configuration in wire order: name, bytes, value in these tests (the defaults of the design). */
export const CONFIG_FIELDS = [
  ['rewardPerGbPerPeriod', 8, 1_000_000n],
  ['minAllocatedGb', 8, 1n],
  ['maxAllocatedGb', 8, 1_000_000n],
  ['challengeResponseTimeout', 8, 60_000n],
  ['slashPercentage', 8, 10n],
  ['minStake', 8, 10n * MAS],
  ['samplesPerChallenge', 4, 2n],
  ['maxOpenChallengesPerNode', 4, 8n],
  ['strikesBeforeSlash', 4, 5n],
  ['strikeSpacingPeriods', 8, 225n],
  ['unbondingPeriods', 8, 5400n],
  ['replicationFactor', 4, 3n],
  ['anchorQuorumPpm', 4, 666_667n],
  ['requireAnchors', 1, 0n],
  ['maxNodes', 8, 10_000n],
  ['passesPerStrike', 4, 20n],
  ['minChallengeIntervalPeriods', 8, 1n],
  ['stakePerGb', 8, 0n],
  ['maxRewardPerPeriod', 8, 0n],
  ['placementLagEras', 4, 1n],
  ['recordRetentionPeriods', 8, 5400n],
  ['adminDelayPeriods', 8, 0n],
] as const
export type ConfigField = (typeof CONFIG_FIELDS)[number][0]
export type ConfigValues = { readonly [F in ConfigField]?: bigint }

/** The first `fieldCount` fields, 6 to 22. */
export function encodeConfig(values: ConfigValues = {}, fieldCount: number = CONFIG_FIELDS.length): Uint8Array {
  const writer = new ArgsWriter()
  for (const [name, bytes, standard] of CONFIG_FIELDS.slice(0, fieldCount)) {
    const value = values[name] ?? standard
    if (bytes === 8) writer.u64(value)
    else if (bytes === 4) writer.u32(value)
    else writer.bool(value === 1n)
  }
  return writer.finish()
}

/** A registry on a chain of its own. */
export interface World {
  readonly engine: ContractEngine
  readonly contract: string
  /** Its records are not those of the shipped code, so nothing can be said about them. */
  readonly isForeign?: boolean
}

/** A chain with coins for the users: genesis at time 0, period 10. */
export function makeChain(): ContractEngine {
  const accounts = Array.from({ length: FUNDED_USERS }, (_, i): [string, bigint] => [userOf(i).address, USER_MAS * MAS])
  return new ContractEngine({ modules, chainId: CHAIN_ID, slot: { period: DEPLOY_PERIOD, thread: 0 }, accounts })
}

/** A deployment by ADMIN as massa-web3 does it; `args` are those of the constructor. */
export function tryDeploy(
  engine: ContractEngine,
  args: Uint8Array,
  wasm: Uint8Array = REGISTRY_WASM,
): OperationOutcome {
  const datastore = [...populateDatastore([{ data: wasm, args, coins: MAS }])].map(([key, value]) => ({ key, value }))
  return engine.executeOperation({
    sender: ADMIN.address,
    feeNanoMas: FEE,
    body: {
      kind: 'execute-sc',
      bytecode: DEPLOYER_BYTECODE,
      datastore,
      maxGas: 3_900_000_000n,
      maxCoinsNanoMas: 100n * MAS,
    },
  })
}

/** The shipped wasm, deployed; admin is ADMIN. */
export function deployRegistry(config: ConfigValues = {}, wasm: Uint8Array = REGISTRY_WASM): World {
  const engine = makeChain()
  const outcome = tryDeploy(engine, new ArgsWriter().string(ADMIN.address).raw(encodeConfig(config)).finish(), wasm)
  if (!outcome.success) throw new Error(outcome.error)
  const contract = outcome.events.map(({ data }) => findContract(data)).find((address) => address !== undefined)
  if (contract === undefined) throw new Error('the deployment names no address')
  return { engine, contract }
}

/** The deployer's last event is the base64 of Args that hold the address. */
function findContract(data: string): string | undefined {
  return /AS[1-9A-HJ-NP-Za-km-z]{40,51}/.exec(Buffer.from(data, 'base64').toString('latin1'))?.[0]
}

/** Coins for users beyond the first 40. */
export function fund({ engine }: World, user: User): void {
  engine.ledger.setBalance(user.address, USER_MAS * MAS)
}

export interface CallResult {
  readonly ok: boolean
  /** The contract's code, when it refused with one. */
  readonly code: string | undefined
  readonly error: string | undefined
  readonly events: readonly string[]
  readonly gas: bigint
  /** What the caller's balance gained, the fee left out. */
  readonly gainNanoMas: bigint
  readonly returned: Uint8Array
}

/** An operation; a refusal is a result. */
export function tryCall(
  world: World,
  user: User,
  functionName: string,
  parameter: Uint8Array = NO_ARGS,
  coins = 0n,
): CallResult {
  const { engine, contract } = world
  const before = engine.ledger.balance(user.address)
  const outcome = engine.executeOperation({
    sender: user.address,
    feeNanoMas: FEE,
    body: { kind: 'call-sc', target: contract, functionName, parameter, coinsNanoMas: coins, maxGas: MAX_GAS },
  })
  return {
    ok: outcome.success,
    code: /REGISTRY_[A-Z_]+/.exec(outcome.error ?? '')?.[0],
    error: outcome.error,
    events: outcome.events.map(({ data }) => data),
    gas: outcome.gasUsed,
    gainNanoMas: engine.ledger.balance(user.address) - before + FEE,
    returned: outcome.returned,
  }
}

type Call = Parameters<typeof tryCall>

/** An operation that must succeed, and leave the invariants as they are. */
export function call(...args: Call): CallResult {
  return watchCall(args, ({ ok, error }) => {
    if (!ok) throw new Error(`${args[2]}: ${error}`)
  })
}

/** An operation that the contract must refuse with this code. */
export function refuse(
  world: World,
  user: User,
  functionName: string,
  wanted: string,
  parameter: Uint8Array = NO_ARGS,
  coins = 0n,
): void {
  watchCall([world, user, functionName, parameter, coins], ({ ok, code, error, events }) => {
    if (ok || code !== wanted) {
      throw new Error(`${functionName}: wanted ${wanted}, got ${ok ? `success ${events}` : error}`)
    }
  })
}

/** An operation and, when it ended as `check` wants, the invariants. */
function watchCall(args: Call, check: (result: CallResult) => void): CallResult {
  const [world, , functionName, , coins = 0n] = args
  const surplus = isWatched(world) ? readSurplus(world) : 0n
  const result = tryCall(...args)
  check(result)
  if (isWatched(world)) checkInvariants(world, result.ok ? surplusAfter(functionName, surplus, coins) : surplus)
  return result
}

/** Sums over thousands of nodes after every call take too long. */
function isWatched(world: World): boolean {
  return !world.isForeign && readTotalNodes(world) <= MAX_WATCHED_NODES
}

/** Coins that belong to nobody: `fundRewards` takes them into the pool, views keep what was sent with them. */
function surplusAfter(functionName: string, before: bigint, coins: bigint): bigint {
  if (functionName === 'fundRewards') return 0n
  return /^(get|isChallenger|calculate)/.test(functionName) ? before + coins : before
}

export function readOnly(world: World, functionName: string, parameter: Uint8Array = NO_ARGS): ReadOnlyOutcome {
  return world.engine.executeReadOnlyCall({
    caller: ANYONE.address,
    target: world.contract,
    functionName,
    parameter,
    maxGas: MAX_GAS,
  })
}

/** What a view returns, as a copy; it must not fail. */
export function view(world: World, functionName: string, parameter: Uint8Array = NO_ARGS): Uint8Array {
  const outcome = readOnly(world, functionName, parameter)
  if (!outcome.success) throw new Error(`${functionName}: ${outcome.error}`)
  return Uint8Array.from(outcome.returned)
}

export function goTo({ engine }: World, period: number, thread = 0): void {
  engine.setSlot({ period, thread })
}

/** Coins to the contract without a call. */
export function donate({ engine, contract }: World, user: User, amountNanoMas: bigint): void {
  const outcome = engine.executeOperation({
    sender: user.address,
    feeNanoMas: FEE,
    body: { kind: 'transaction', recipient: contract, amountNanoMas },
  })
  if (!outcome.success) throw new Error(outcome.error)
}
