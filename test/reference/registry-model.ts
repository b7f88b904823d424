import { type Slot, slotIndex } from '../../core/index.ts'
import * as admin from './registry-model/admin.ts'
import { ArgsReader } from './registry-model/args.ts'
import { type Call, type Context, Effects } from './registry-model/call.ts'
import * as challenges from './registry-model/challenges.ts'
import { checkConfig, readConfig } from './registry-model/config.ts'
import * as eras from './registry-model/eras.ts'
import * as nodes from './registry-model/nodes.ts'
import { encodeDatastore } from './registry-model/records.ts'
import { demand, Refusal } from './registry-model/refusal.ts'
import { accrue, sampleEra, takeSample } from './registry-model/rewards.ts'
import { RegistryState } from './registry-model/state.ts'
import { VIEWS } from './registry-model/views.ts'

/*
 * The storage-registry contract, slow and obvious, from the text of its design: the oracle for the shipped wasm. No sum
 * is kept that can be computed, and the money rule is applied to the bytes that the state is worth.
 */

/** Price of a stored byte, nanoMAS, and the bytes an entry costs beside key and value (facts: contract-platform 2.1). */
const BYTE_PRICE_NANO_MAS = 100_000n
const ENTRY_OVERHEAD_BYTES = 4

/** How a call ended. */
export type ModelOutcome =
  | {
      readonly success: true
      readonly returned: Uint8Array
      readonly events: readonly string[]
      /** What the caller gets back of the coins sent, with everything that is paid out and freed. */
      readonly refundNanoMas: bigint
      readonly bytecode?: Uint8Array
    }
  /** Without a code: there is nothing to run, as the bytecode is no module. */
  | { readonly success: false; readonly code: string | undefined }

export interface ModelDeployment {
  readonly chainId: bigint
  /** The address that the contract has got. */
  readonly contract: string
  /** Arguments of the constructor. */
  readonly parameter: Uint8Array
  readonly coinsNanoMas: bigint
  readonly slot: Slot
  readonly timestampMs: bigint
  /** Bytes of its code: its growth is paid for like records. */
  readonly bytecode: Uint8Array
}

const SLOT_MS = 500n

function bind<T>(
  read: (call: Call) => T,
  run: (state: RegistryState, context: Context, args: T) => void,
): (state: RegistryState, call: Call) => (context: Context) => void {
  return (state, call) => {
    const args = read(call)
    return (context) => run(state, context, args)
  }
}

const bare = (run: (state: RegistryState, context: Context) => void) => bind(admin.readNothing, run)

const WRITERS: Readonly<Record<string, (state: RegistryState, call: Call) => (context: Context) => void>> = {
  registerStorageNode: bind(nodes.readRegister, nodes.registerStorageNode),
  updateStorageAllocation: bind(nodes.readUpdate, nodes.updateStorageAllocation),
  unregisterStorageNode: bare(nodes.unregisterStorageNode),
  topUpStake: bare(nodes.topUpStake),
  fundRewards: bare(nodes.fundRewards),
  updateNodeMetadata: bind(nodes.readMetadata, nodes.updateNodeMetadata),
  claimRewards: bare(nodes.claimRewards),
  issueChallenge: bind(challenges.readIssue, challenges.issueChallenges),
  issueChallenges: bind(challenges.readIssueMany, challenges.issueChallenges),
  submitProof: bind(challenges.readSubmit, challenges.submitProofs),
  submitProofs: bind(challenges.readSubmitMany, challenges.submitProofs),
  resolveExpiredChallenges: bind(challenges.readIds, challenges.resolveExpiredChallenges),
  distributeRewards: bind(admin.readNumber, admin.distributeRewards),
  anchorEra: bind(eras.readAnchor, eras.anchorEra),
  prune: bind(admin.readPrune, admin.prune),
  updateConfig: bind(() => undefined, admin.updateConfig),
  upgrade: bind(admin.readBytecode, admin.upgrade),
  addChallenger: bind(admin.readText, admin.addChallenger),
  removeChallenger: bind(admin.readText, admin.removeChallenger),
  setPaused: bind(admin.readFlag, admin.setPaused),
  transferAdmin: bind(admin.readText, admin.transferAdmin),
  acceptAdmin: bare(admin.acceptAdmin),
}

export const WRITING_FUNCTIONS: readonly string[] = Object.keys(WRITERS)
export const VIEW_FUNCTIONS: readonly string[] = Object.keys(VIEWS)

export class RegistryModel {
  /** Nobody else may change it. */
  state: RegistryState
  balanceNanoMas: bigint
  bytecode: Uint8Array
  store: ReadonlyMap<string, Uint8Array>
  private storePrice: bigint
  private readonly chainId: bigint
  private readonly contract: string
  /** The one code that the model knows; more sections behind it change nothing. */
  private readonly known: Uint8Array

  private constructor(deployment: ModelDeployment, state: RegistryState) {
    this.chainId = deployment.chainId
    this.contract = deployment.contract
    this.bytecode = deployment.bytecode
    this.known = deployment.bytecode
    this.state = state
    this.store = encodeDatastore(state)
    this.storePrice = computeStorePrice(this.store)
    this.balanceNanoMas = 0n
  }

  /** The constructor's run; `refundNanoMas` is for the deployer. @throws Refusal */
  static deploy(deployment: ModelDeployment): {
    readonly model: RegistryModel
    readonly events: readonly string[]
    readonly refundNanoMas: bigint
  } {
    const { slot, timestampMs, coinsNanoMas } = deployment
    const args = new ArgsReader(deployment.parameter)
    const adminAddress = args.string()
    const config = readConfig(args, undefined)
    demand(admin.isAddress(adminAddress), 'ADDRESS_INVALID')
    checkConfig(config, undefined)
    const period = BigInt(slot.period)
    const state = new RegistryState({
      config,
      admin: adminAddress,
      period,
      genesisTimestamp: timestampMs - BigInt(slotIndex(slot)) * SLOT_MS,
    })
    takeSample(state, period / 128n)
    const model = new RegistryModel(deployment, state)
    const refundNanoMas = coinsNanoMas - model.storePrice
    demand(refundNanoMas >= 0n, 'COINS_SHORT')
    return { model, events: [`REGISTRY_CREATED:${adminAddress}`], refundNanoMas }
  }

  /** Another registry in the same state. */
  copy(): RegistryModel {
    return Object.assign(Object.create(RegistryModel.prototype) as RegistryModel, this)
  }

  /** Coins that somebody sends without a call. */
  donate(amountNanoMas: bigint): void {
    this.balanceNanoMas += amountNanoMas
  }

  /** The last upgrade left a contract: any code but the known one is taken for bytes that do not compile. */
  get isAlive(): boolean {
    return Buffer.compare(this.bytecode.subarray(0, this.known.length), this.known) === 0
  }

  /** Runs a function; an operation by default, without leaving a trace when `readOnly`. */
  run(functionName: string, call: Call, options: { readonly readOnly?: boolean } = {}): ModelOutcome {
    // The chain stores any bytes as code, and finds out at the next call.
    if (!this.isAlive) return { success: false, code: undefined }
    try {
      demand(functionName !== 'constructor', 'NOT_DEPLOYING')
      const view = VIEWS[functionName]
      if (view) return this.runView(view, call, options)
      return this.runWriter(functionName, call, options)
    } catch (error) {
      if (error instanceof Refusal) return { success: false, code: error.code }
      throw error
    }
  }

  /** A view keeps the coins that are sent with it. */
  private runView(view: (typeof VIEWS)[string], call: Call, options: { readonly readOnly?: boolean }): ModelOutcome {
    const returned = view(this.state, call)
    if (!options.readOnly) this.balanceNanoMas += call.coinsNanoMas
    return { success: true, returned, events: [], refundNanoMas: 0n }
  }

  private runWriter(functionName: string, call: Call, options: { readonly readOnly?: boolean }): ModelOutcome {
    const writer = WRITERS[functionName]
    if (!writer) throw new RangeError(`the registry has no ${functionName}`)
    const state = this.state.copy()
    const run = writer(state, call)
    const now = BigInt(call.slot.period)
    const effects = new Effects()
    const context: Context = {
      call,
      now,
      era: now / 128n,
      effects,
      chainId: this.chainId,
      contract: this.contract,
      surplus: this.balanceNanoMas - this.state.liabilities,
    }
    sampleEra(state, now)
    accrue(state, now)
    run(context)

    const store = encodeDatastore(state)
    const bytecode = effects.bytecode ?? this.bytecode
    const storePrice = computeStorePrice(store)
    const price = storePrice - this.storePrice + BigInt(bytecode.length - this.bytecode.length) * BYTE_PRICE_NANO_MAS
    const refundNanoMas = this.balanceNanoMas + call.coinsNanoMas - price - state.liabilities - context.surplus
    demand(refundNanoMas >= 0n, 'COINS_SHORT')
    if (!options.readOnly) {
      this.state = state
      this.store = store
      this.storePrice = storePrice
      this.bytecode = bytecode
      this.balanceNanoMas = state.liabilities + context.surplus
    }
    const upgraded = effects.bytecode ? { bytecode: effects.bytecode } : {}
    return { success: true, returned: new Uint8Array(), events: effects.events, refundNanoMas, ...upgraded }
  }
}

/** nanoMAS that the chain holds for all entries. */
function computeStorePrice(store: ReadonlyMap<string, Uint8Array>): bigint {
  let bytes = 0
  for (const [key, value] of store) bytes += ENTRY_OVERHEAD_BYTES + key.length + value.length
  return BigInt(bytes) * BYTE_PRICE_NANO_MAS
}
