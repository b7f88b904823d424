import { type Slot, slotIndex, slotOfIndex } from '../../../core/index.ts'
import { ContractEngine, ModuleCache } from '../../../devnet/engine/index.ts'
import { Refusal } from '../../reference/registry-model/refusal.ts'
import {
  type ModelDeployment,
  type ModelOutcome,
  RegistryModel,
  VIEW_FUNCTIONS,
} from '../../reference/registry-model.ts'
import { actors } from './actors.ts'
import { loadDeployer, readContractCode } from './contract-code.ts'
import { compareOutcome, compareRecord, Difference, expectEqual, findCode } from './difference.ts'
import { InvariantWatch } from './invariants.ts'
import type { CallStep, Start, Step } from './step.ts'

/** Both refuse to be deployed, for the same reason: a sequence needs another beginning. */
export class NotDeployed extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** What became of a step on both sides. */
export interface StepResult {
  /** Undefined for steps that are no calls. */
  readonly outcome?: ModelOutcome
  readonly gasUsed: bigint
}

const CHAIN_ID = 77n
const FEE_NANO_MAS = 10_000_000n
const MAX_GAS = 4_200_000_000n
/** Changes what the model says: to show that a wrong model is found out. */
export type Sabotage = (functionName: string, outcome: ModelOutcome) => ModelOutcome

/** The node's words. */
const NO_CONTRACT = 'cannot transfer coins to non-existing smart contract address'

const NO_GAS: StepResult = { gasUsed: 0n }
const BYTE_PRICE_NANO_MAS = 100_000n
const ENTRY_OVERHEAD_BYTES = 4
const ADDRESS_PRICE_NANO_MAS = 1_000_000n

const modules = new ModuleCache()
const deployer = loadDeployer()
export const contractCode = readContractCode()

/** The contract on the engine and the model beside it; every step is run on both and compared. */
export class World {
  readonly engine: ContractEngine
  readonly model: RegistryModel
  readonly contract: string
  readonly chainId = CHAIN_ID
  private readonly balances = new Map<string, bigint>()
  /** The contract's datastore as the engine's changes make it. */
  private readonly mirror = new Map<string, Uint8Array>()
  private mirrorBytes = 0
  /** The model's bytes that were found equal to an entry's, or to the code. */
  private readonly equals = new WeakMap<Uint8Array, Uint8Array>()
  private readonly invariants: InvariantWatch
  private readonly totalNanoMas: bigint
  private feesNanoMas = 0n
  private readonly sabotage: Sabotage

  constructor(start: Start, sabotage: Sabotage = (_, outcome) => outcome) {
    this.sabotage = sabotage
    const [deployerActor] = actors
    if (!deployerActor) throw new RangeError('no actors')
    const sender = deployerActor.address
    this.engine = new ContractEngine({
      chainId: CHAIN_ID,
      genesisTimestampMs: start.genesisTimestampMs,
      slot: start.slot,
      modules,
      accounts: actors.map(({ address }) => [address, start.balanceNanoMas] as const),
    })
    for (const { address } of actors) this.balances.set(address, start.balanceNanoMas)
    this.totalNanoMas = start.balanceNanoMas * BigInt(actors.length)
    const { parameter, deployCoinsNanoMas, slot } = start
    const deployed = this.engine.executeOperation({
      sender,
      feeNanoMas: FEE_NANO_MAS,
      body: {
        kind: 'execute-sc',
        bytecode: deployer.bytecode,
        datastore: deployer.listEntries({ data: contractCode, args: parameter, coins: deployCoinsNanoMas }),
        maxGas: 3_900_000_000n,
        maxCoinsNanoMas: start.balanceNanoMas - FEE_NANO_MAS,
      },
    })
    this.contract = [...deployed.changes.keys()].find((address) => address.startsWith('AS')) ?? ''
    const { model, events, refundNanoMas } = deployModel(deployed, {
      chainId: CHAIN_ID,
      contract: this.contract,
      parameter,
      coinsNanoMas: deployCoinsNanoMas,
      slot,
      timestampMs: this.engine.timestampMs,
      bytecode: contractCode,
    })
    this.model = model
    this.invariants = new InvariantWatch()
    const price = BigInt(contractCode.length) * BYTE_PRICE_NANO_MAS + ADDRESS_PRICE_NANO_MAS
    this.addBalance(sender, refundNanoMas - deployCoinsNanoMas - price - FEE_NANO_MAS)
    this.feesNanoMas += FEE_NANO_MAS + ADDRESS_PRICE_NANO_MAS
    const contractEvents = deployed.events.map(({ data }) => data).filter((data) => data.startsWith('REGISTRY_'))
    expectEqual('constructor events', contractEvents, events)
    for (const [key, value] of deployed.changes.get(this.contract)?.datastore ?? []) this.note(key, value)
    this.compareState('constructor', [sender])
  }

  get slot(): Slot {
    return this.engine.slot
  }

  balanceOf(address: string): bigint {
    return this.balances.get(address) ?? 0n
  }

  /** @throws Difference */
  apply(step: Step): StepResult {
    switch (step.kind) {
      case 'slot':
        return this.goTo(step.slot)
      case 'donate':
        return this.donate(step)
      case 'read':
        return this.read(step)
      case 'call':
        return this.call(step)
    }
  }

  /** Every entry of the contract, read from the engine's ledger, against the model's. */
  compareLedger(): void {
    const { ledger } = this.engine
    const keys = ledger.keys(this.contract).map((key) => Buffer.from(key).toString('latin1'))
    expectEqual('keys of the ledger', keys, [...this.model.store.keys()].sort())
    for (const key of keys) {
      const stored = ledger.value(this.contract, Buffer.from(key, 'latin1'))
      compareRecord('ledger', key, { stored, wanted: this.model.store.get(key) ?? new Uint8Array() })
    }
  }

  private goTo(slot: Slot): StepResult {
    if (slotIndex(slot) > slotIndex(this.slot)) this.engine.setSlot(slot)
    this.invariants.enter(slot, this.mirror)
    return NO_GAS
  }

  private donate(step: Extract<Step, { kind: 'donate' }>): StepResult {
    const { from, amountNanoMas } = step
    if (this.balanceOf(from) < amountNanoMas + FEE_NANO_MAS) return NO_GAS
    const done = this.engine.executeOperation({
      sender: from,
      feeNanoMas: FEE_NANO_MAS,
      body: { kind: 'transaction', recipient: this.contract, amountNanoMas },
    })
    if (!done.success) throw new Difference('donation refused', done.error ?? '')
    this.model.donate(amountNanoMas)
    this.invariants.surplusNanoMas += amountNanoMas
    this.addBalance(from, -amountNanoMas - FEE_NANO_MAS)
    this.feesNanoMas += FEE_NANO_MAS
    this.compareState('donate', [from])
    return NO_GAS
  }

  private read(step: Extract<Step, { kind: 'read' }>): StepResult {
    const { caller, functionName, parameter } = step
    const slot = slotOfIndex(slotIndex(this.slot) + 1)
    const timestampMs = this.engine.timestampMs + 500n
    const call = { caller, parameter, coinsNanoMas: 0n, slot, timestampMs }
    const outcome = this.model.run(functionName, call, { readOnly: true })
    const answer = this.engine.executeReadOnlyCall({
      caller,
      target: this.contract,
      functionName,
      parameter,
      maxGas: MAX_GAS,
    })
    // A record that is freed leaves coins for the caller, and the chain has no place for those of a contract that is not there.
    const isPaid = outcome.success && outcome.refundNanoMas > 0n
    if (isPaid && caller.startsWith('AS') && !this.engine.ledger.has(caller)) {
      if (!answer.error?.includes(NO_CONTRACT))
        throw new Difference(`read ${functionName} paid nobody`, `${answer.error}`)
    } else compareOutcome(`read ${functionName}`, outcome, answer)
    return { outcome, gasUsed: answer.gasUsed }
  }

  private call(step: CallStep): StepResult {
    const { caller, functionName, parameter, coinsNanoMas } = step
    if (this.balanceOf(caller) < coinsNanoMas + FEE_NANO_MAS) return NO_GAS
    const { slot, timestampMs } = this.engine
    const call = { caller, parameter, coinsNanoMas, slot, timestampMs }
    const outcome = this.sabotage(functionName, this.model.run(functionName, call))
    const done = this.engine.executeOperation({
      sender: caller,
      feeNanoMas: FEE_NANO_MAS,
      body: { kind: 'call-sc', target: this.contract, functionName, parameter, coinsNanoMas, maxGas: MAX_GAS },
    })
    compareOutcome(functionName, outcome, done)
    this.addBalance(caller, -FEE_NANO_MAS)
    this.feesNanoMas += FEE_NANO_MAS
    if (outcome.success) {
      this.addBalance(caller, outcome.refundNanoMas - coinsNanoMas)
      if (functionName === 'fundRewards') this.invariants.surplusNanoMas = 0n
      // Nothing in a view looks at coins: they stay.
      if (VIEW_FUNCTIONS.includes(functionName)) this.invariants.surplusNanoMas += coinsNanoMas
    }
    for (const [key, value] of done.changes.get(this.contract)?.datastore ?? []) this.note(key, value)
    this.compareState(functionName, [caller])
    this.compareLedger()
    return { outcome, gasUsed: done.gasUsed }
  }

  private compareState(topic: string, touched: readonly string[]): void {
    const { ledger } = this.engine
    for (const address of touched) {
      expectEqual(`${topic}: balance of the caller`, ledger.balance(address), this.balanceOf(address))
    }
    expectEqual(`${topic}: balance of the contract`, ledger.balance(this.contract), this.model.balanceNanoMas)
    for (const [key, wanted] of this.model.store) {
      const stored = this.mirror.get(key)
      if (stored && this.equals.get(stored) === wanted) continue
      compareRecord(topic, key, { stored, wanted })
      if (stored) this.equals.set(stored, wanted)
    }
    if (this.mirror.size !== this.model.store.size) {
      const extra = [...this.mirror.keys()].filter((key) => !this.model.store.has(key))
      throw new Difference(`${topic}: extra records`, extra.join(' '))
    }
    const code = ledger.bytecode(this.contract)
    if (!code || this.equals.get(code) !== this.model.bytecode) {
      if (!code || Buffer.compare(code, this.model.bytecode) !== 0) throw new Difference(`${topic}: bytecode`, '')
      this.equals.set(code, this.model.bytecode)
    }
    const broken = this.invariants.check(this.slot, this.mirror, ledger.balance(this.contract))
    if (broken !== undefined) throw new Difference(`${topic}: invariant`, broken)
    this.checkConservation(topic)
  }

  /** Coins are where they were, but for fees. */
  private checkConservation(topic: string): void {
    const { ledger } = this.engine
    let total = ledger.balance(this.contract) + this.feesNanoMas
    for (const { address } of actors) total += ledger.balance(address)
    const bytes = this.mirrorBytes + (ledger.bytecode(this.contract)?.length ?? 0)
    total += BigInt(bytes) * BYTE_PRICE_NANO_MAS
    expectEqual(`${topic}: coins in all`, total, this.totalNanoMas)
  }

  private note(key: string, value: Uint8Array | undefined): void {
    const before = this.mirror.get(key)
    if (before) this.mirrorBytes -= computeEntryBytes(key, before)
    if (value) this.mirrorBytes += computeEntryBytes(key, value)
    if (value === undefined) this.mirror.delete(key)
    else this.mirror.set(key, value)
  }

  private addBalance(address: string, nanoMas: bigint): void {
    this.balances.set(address, this.balanceOf(address) + nanoMas)
  }
}

/** What an entry of the datastore is paid for. */
function computeEntryBytes(key: string, value: Uint8Array): number {
  return ENTRY_OVERHEAD_BYTES + key.length + value.length
}

/** @throws NotDeployed when both refuse */
function deployModel(
  got: { readonly success: boolean; readonly error?: string },
  deployment: ModelDeployment,
): ReturnType<typeof RegistryModel.deploy> {
  try {
    const deployed = RegistryModel.deploy(deployment)
    if (!got.success) throw new Difference('constructor refused', got.error ?? '')
    return deployed
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const code = findCode(got.error)
    if (code !== error.code) throw new Difference(`constructor gives ${code} instead of ${error.code}`, got.error ?? '')
    throw new NotDeployed(code)
  }
}
