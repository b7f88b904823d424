import { sortDatastore } from '../../core/massa/datastore-order.ts'
import { SLOT_MS, type Slot, slotIndex, slotOfIndex, THREAD_COUNT } from '../../core/units.ts'
import { DEFERRED_CALL_BASE_GAS, type DeferredCall, DeferredCalls, MIN_DEFERRED_GAS_PRICE } from './deferred-calls.ts'
import { attempt, type DeferredOutcome, executeDeferredCall, executePaidOperation, inVm } from './execution.ts'
import {
  type ContextSnapshot,
  type ContractEvent,
  ExecutionContext,
  type SlotState,
  type StackElement,
} from './execution-context.ts'
import { ExecutionFault } from './faults.ts'
import {
  getGasPrices,
  MAX_BLOCK_GAS,
  MAX_INSTANCE_GAS,
  type NodeVersion,
  OPERATION_BASE_GAS,
  TEMPORARY_COMPILATION_GAS,
} from './gas-table.ts'
import { Ledger, type StateChanges } from './ledger.ts'
import { Machine, type Returned } from './machine.ts'
import { ModuleCache } from './module-cache.ts'
import {
  checkOperation,
  checkReadOnlyBytecode,
  checkReadOnlyCall,
  type EngineOperation,
  invalid,
  type OperationOutcome,
  type ReadOnlyBytecode,
  type ReadOnlyCall,
  type ReadOnlyOutcome,
} from './operation.ts'
import { ROLL_PRICE_NANO_MAS, type RollState, Rolls } from './rolls.ts'
import { computeContractAddress, computeTrailHash, computeTupleHash } from './trail.ts'

export interface EngineOptions {
  /** 77, a sandbox's, by default. */
  readonly chainId?: bigint
  readonly genesisTimestampMs?: bigint
  /** (1, 0) by default. */
  readonly slot?: Slot
  /**
   * nanoMAS for a unit of a deferred call's gas: 10 by default, the least on a network older than a week. 0 on a younger
   * one. It never rises here.
   */
  readonly deferredGasPriceNanoMas?: bigint
  /** Whose gas prices hold; 'MAIN.5.0' by default. */
  readonly nodeVersion?: NodeVersion
  /** To be shared by engines that run the same contracts. */
  readonly modules?: ModuleCache
  /** Of `slot`, 32 bytes: to go on where a chain stands. */
  readonly executionTrailHash?: Uint8Array
  /** Addresses with their nanoMAS. */
  readonly accounts?: Iterable<readonly [address: string, balanceNanoMas: bigint]>
  /** Of `slot`; nobody has any by default. */
  readonly rolls?: RollState
  /** Registered up to `slot`, in the order in which they will run; none by default. */
  readonly deferredCalls?: readonly DeferredCall[]
}

/** A state to come back to. */
export interface EngineSnapshot {
  readonly context: ExecutionContext
  readonly state: ContextSnapshot
}

const MAX_THREAD = THREAD_COUNT - 1
const SANDBOX_CHAIN_ID = 77n
const NOTHING = new Uint8Array()
const NO_CHANGES: StateChanges = new Map()

/**
 * Executes operations with contracts by the rules of a massa-node, without one: gas to the unit, storage price, rollback,
 * limits, error texts.
 *
 * Synchronous, one state, no clock and no randomness of its own: the same calls give the same outcomes. What it leaves
 * out: asynchronous messages, blocks, their choice of operations and their rewards.
 */
export class ContractEngine {
  readonly ledger = new Ledger()
  readonly rolls: Rolls
  private readonly chainId: bigint
  private readonly genesisTimestampMs: bigint
  private readonly machine: Machine
  private readonly deferredCalls: DeferredCalls
  private readonly snapshots: EngineSnapshot[] = []
  private context: ExecutionContext
  private operationCount = 0
  private placedContracts = 0

  constructor(options: EngineOptions = {}) {
    this.chainId = options.chainId ?? SANDBOX_CHAIN_ID
    this.genesisTimestampMs = options.genesisTimestampMs ?? 0n
    this.deferredCalls = new DeferredCalls(
      options.deferredGasPriceNanoMas ?? MIN_DEFERRED_GAS_PRICE,
      options.deferredCalls,
    )
    this.rolls = new Rolls(options.rolls)
    this.machine = new Machine(options.modules ?? new ModuleCache(), getGasPrices(options.nodeVersion ?? 'MAIN.5.0'))
    const slot = checkSlot(options.slot ?? { period: 1, thread: 0 })
    const trail = options.executionTrailHash
    const state = trail ? this.stateWith(slot, trail) : this.stateAt(slot, computeTupleHash([]), undefined)
    this.context = this.openContext(state, false)
    for (const [address, balanceNanoMas] of options.accounts ?? []) this.ledger.setBalance(address, balanceNanoMas)
    this.ledger.dropJournal()
  }

  get slot(): Slot {
    return this.context.at.slot
  }

  /** Of the slot. */
  get timestampMs(): bigint {
    return this.context.at.timestampMs
  }

  /** Of the slot: a node's, if every slot was entered with the id of its block and the first hash was the node's. */
  get executionTrailHash(): Uint8Array {
    return this.context.at.trailHash
  }

  /**
   * Goes on to a later slot. Deferred calls due on the way run in theirs, before any operation; slots without any are
   * passed over in one step.
   *
   * @param blockId - 33 bytes, of the block in `slot`; it goes into random numbers and new addresses
   */
  setSlot(slot: Slot, blockId?: Uint8Array): readonly DeferredOutcome[] {
    if (slotIndex(checkSlot(slot)) <= slotIndex(this.slot)) throw invalid('the engine only goes on to later slots')
    const outcomes: DeferredOutcome[] = []
    for (let call = this.deferredCalls.takeDue(slot); call; call = this.deferredCalls.takeDue(slot)) {
      if (slotIndex(call.slot) > slotIndex(this.slot)) {
        this.enterSlot(call.slot, slotIndex(call.slot) === slotIndex(slot) ? blockId : undefined)
      }
      outcomes.push(executeDeferredCall(this.machine, this.context, call))
    }
    if (slotIndex(slot) > slotIndex(this.slot)) this.enterSlot(slot, blockId)
    this.settle()
    return outcomes
  }

  /** @throws ArchiveError DEVNET_ENGINE_REQUEST_INVALID; nothing has changed then */
  executeOperation(operation: EngineOperation): OperationOutcome {
    checkOperation(operation)
    const { context } = this
    const id = operation.id ?? `O-${++this.operationCount}`
    const start = context.takeSnapshot()
    try {
      return this.executeIn(context, operation, id)
    } catch (error) {
      context.events = []
      context.resetTo(start)
      throw error
    } finally {
      context.operationId = undefined
      this.settle()
    }
  }

  /** Executes in the next slot, and leaves no trace. */
  executeReadOnlyCall(request: ReadOnlyCall): ReadOnlyOutcome {
    checkReadOnlyCall(request)
    const { caller, target, functionName, parameter, coinsNanoMas } = request
    const stack: StackElement[] = [
      { address: caller, coins: 0n, owned: [caller] },
      { address: target, coins: coinsNanoMas ?? 0n, owned: [target] },
    ]
    return this.simulate(request, stack, (context, gas) => {
      context.checkCallable(target)
      if (request.feeNanoMas !== undefined) context.moveCoins(caller, undefined, request.feeNanoMas)
      if (coinsNanoMas !== undefined) context.moveCoins(caller, target, coinsNanoMas)
      const module = this.machine.loadModule(context.ledger.bytecode(target) ?? NOTHING, gas)
      return inVm('ReadOnlyExecutionTarget::FunctionCall', () =>
        this.machine.run(module, { functionName, parameter, gas }),
      )
    })
  }

  /** Executes bytecode as an ExecuteSC would, in the next slot, and leaves no trace. */
  executeReadOnlyBytecode(request: ReadOnlyBytecode): ReadOnlyOutcome {
    checkReadOnlyBytecode(request)
    const { address, bytecode, datastore } = request
    const stack: StackElement[] = [
      { address, coins: 0n, owned: [address], ...(datastore ? { datastore: sortDatastore(datastore) } : {}) },
    ]
    return this.simulate(request, stack, (context, gas) => {
      if (request.feeNanoMas !== undefined) context.moveCoins(address, undefined, request.feeNanoMas)
      const module = this.machine.loadTemporaryModule(bytecode, gas)
      return inVm('ReadOnlyExecutionTarget::BytecodeExecution', () =>
        this.machine.run(module, { functionName: 'main', parameter: NOTHING, gas }),
      )
    })
  }

  /**
   * What a deferred call would cost to register now.
   *
   * @returns gas with what every call costs, and nanoMAS; no price when the slot cannot be booked
   */
  quoteDeferredCall(
    slot: Slot,
    maxGas: bigint,
    parameterBytes: bigint,
  ): { readonly gas: bigint; readonly priceNanoMas: bigint | undefined } {
    const gas = maxGas + DEFERRED_CALL_BASE_GAS
    try {
      return { gas, priceNanoMas: this.deferredCalls.computeFee({ slot, gas, parameterBytes }, this.slot) }
    } catch (error) {
      if (error instanceof ExecutionFault) return { gas, priceNanoMas: undefined }
      throw error
    }
  }

  /** Registered and not run yet, in the order in which they will run. The list is never changed. */
  listDeferredCalls(): readonly DeferredCall[] {
    return this.deferredCalls.list()
  }

  /**
   * New coins, as rewards and repaid rolls are, in the present slot.
   *
   * @returns false when nothing happened: an address that does not exist costs more to create
   */
  credit(address: string, amountNanoMas: bigint): boolean {
    try {
      this.context.moveCoins(undefined, address, amountNanoMas)
      return true
    } catch (fault) {
      if (fault instanceof ExecutionFault) return false
      throw fault
    } finally {
      this.settle()
    }
  }

  /** Pays what is owed for sold rolls in the present slot: after its operations and rewards. */
  payDeferredCredits(): void {
    for (const { address, amountNanoMas } of this.rolls.takeDue(this.slot)) this.credit(address, amountNanoMas)
  }

  /** Puts a contract on the ledger without deploying it: no constructor, no price. */
  placeContract(bytecode: Uint8Array, balanceNanoMas = 0n): string {
    const address = computeContractAddress(computeTupleHash([]), this.placedContracts++, 0)
    this.ledger.setBytecode(address, bytecode)
    this.ledger.setBalance(address, balanceNanoMas)
    this.settle()
    return address
  }

  /** A state to come back to, at no cost until something changes. Release it, or the engine remembers every change. */
  snapshot(): EngineSnapshot {
    const snapshot = { context: this.context, state: this.context.takeSnapshot() }
    this.snapshots.push(snapshot)
    return snapshot
  }

  /** Back to the snapshot, which stays; later ones are void. */
  restore(snapshot: EngineSnapshot): void {
    const place = this.snapshots.indexOf(snapshot)
    if (place < 0) throw invalid('the snapshot is void or released')
    this.snapshots.length = place + 1
    this.context = snapshot.context
    this.context.resetTo(snapshot.state)
  }

  release(snapshot: EngineSnapshot): void {
    const place = this.snapshots.indexOf(snapshot)
    if (place >= 0) this.snapshots.splice(place, 1)
    this.settle()
  }

  private executeIn(context: ExecutionContext, operation: EngineOperation, id: string): OperationOutcome {
    const { sender, feeNanoMas, body } = operation
    const mark = this.ledger.mark()
    const none = { success: false, returned: NOTHING, events: [], gasUsed: 0n, changes: NO_CHANGES }
    if (computeBlockGas(operation) > MAX_BLOCK_GAS) {
      const error = 'Not enough gas in the block: not enough remaining block gas to execute operation'
      return { ...none, included: false, error }
    }
    const spending = maxSpending(body) + feeNanoMas
    const before = this.ledger.balance(sender)
    context.operationId = id
    try {
      context.moveCoins(sender, undefined, feeNanoMas)
    } catch (fault) {
      if (!(fault instanceof ExecutionFault)) throw fault
      const error = `could not spend fees: ${fault.text}`
      context.begin([])
      context.emit(error, true)
      return { ...none, included: false, error: `Include operation error: ${error}`, events: takeEvents(context) }
    }
    const leastBalance = before > spending ? before - spending : 0n
    const { error, returned, gasUsed } = executePaidOperation(this.machine, context, { operation, id, leastBalance })
    const outcome = { included: true, returned, gasUsed, events: takeEvents(context) }
    const changes = this.ledger.changesSince(mark)
    return error === undefined ? { ...outcome, success: true, changes } : { ...outcome, success: false, error, changes }
  }

  private simulate(
    request: { readonly maxGas: bigint; readonly executionTrailHash?: Uint8Array },
    stack: StackElement[],
    run: (context: ExecutionContext, gas: number) => Returned,
  ): ReadOnlyOutcome {
    const executedAt = slotOfIndex(slotIndex(this.slot) + 1)
    const trailHash =
      request.executionTrailHash ??
      computeTrailHash(this.executionTrailHash, executedAt, { readOnly: true, blockId: undefined })
    const context = this.openContext(this.stateWith(executedAt, trailHash), true)
    context.begin(stack)
    const start = context.takeSnapshot()
    try {
      const ending = attempt(this.machine, context, request.maxGas, {
        run: () => {
          if (request.maxGas > BigInt(MAX_BLOCK_GAS)) throw tooMuchGas(request.maxGas)
          return run(context, Number(request.maxGas))
        },
        fail: () => undefined,
      })
      const common = { returned: ending.returned, gasUsed: ending.gasUsed, executedAt, executionTrailHash: trailHash }
      if (ending.error !== undefined) {
        return { ...common, success: false, error: ending.error, events: [], gasCost: 0n, changes: NO_CHANGES }
      }
      const changes = this.ledger.changesSince(start.ledger)
      const gasCost = computeReportedGas(request.maxGas, ending.gasUsed, context.gasBeforeLastCall)
      return { ...common, success: true, events: takeEvents(context), gasCost, changes }
    } finally {
      context.resetTo(start)
      this.settle()
    }
  }

  private enterSlot(slot: Slot, blockId: Uint8Array | undefined): void {
    this.context = this.openContext(this.stateAt(slot, this.executionTrailHash, blockId), false)
  }

  private openContext(at: SlotState, readOnly: boolean): ExecutionContext {
    const { chainId, ledger, deferredCalls, rolls } = this
    return new ExecutionContext(at, { chainId, ledger, deferredCalls, rolls }, { readOnly })
  }

  private stateAt(slot: Slot, previousTrail: Uint8Array, blockId: Uint8Array | undefined): SlotState {
    return this.stateWith(slot, computeTrailHash(previousTrail, slot, { readOnly: false, blockId }))
  }

  private stateWith(slot: Slot, trailHash: Uint8Array): SlotState {
    return { slot, trailHash, timestampMs: this.genesisTimestampMs + BigInt(slotIndex(slot) * SLOT_MS) }
  }

  /** Nobody can go back any more. */
  private settle(): void {
    if (this.snapshots.length === 0) this.ledger.dropJournal()
  }
}

function takeEvents(context: ExecutionContext): readonly ContractEvent[] {
  const { events } = context
  context.events = []
  return events
}

function computeBlockGas({ body }: EngineOperation): bigint {
  if (!('maxGas' in body)) return BigInt(OPERATION_BASE_GAS)
  const extra = body.kind === 'execute-sc' ? TEMPORARY_COMPILATION_GAS : 0
  return body.maxGas + BigInt(OPERATION_BASE_GAS + extra)
}

function maxSpending(body: EngineOperation['body']): bigint {
  switch (body.kind) {
    case 'transaction':
      return body.amountNanoMas
    case 'call-sc':
      return body.coinsNanoMas
    case 'execute-sc':
      return body.maxCoinsNanoMas
    case 'roll-buy':
      return body.rollCount * ROLL_PRICE_NANO_MAS
    case 'roll-sell':
      return 0n
  }
}

/** The last started function is reported as if it had used at least what starting one needs. */
function computeReportedGas(maxGas: bigint, exact: bigint, gasBeforeLastCall: number | undefined): bigint {
  const before = gasBeforeLastCall === undefined ? 0n : maxGas - BigInt(gasBeforeLastCall)
  const corrected = before + BigInt(MAX_INSTANCE_GAS)
  return exact > corrected ? exact : corrected
}

function tooMuchGas(maxGas: bigint): ExecutionFault {
  return new ExecutionFault(
    `Given gas is above the threshold: execution gas for read-only call is ${maxGas} which is above the maximum allowed ${MAX_BLOCK_GAS}`,
  )
}

function checkSlot(slot: Slot): Slot {
  const { period, thread } = slot
  if (!Number.isSafeInteger(period) || period < 0 || !Number.isInteger(thread) || thread < 0 || thread > MAX_THREAD) {
    throw invalid(`(${period}, ${thread}) is no slot`)
  }
  return slot
}
