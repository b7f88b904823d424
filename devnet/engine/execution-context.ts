import { formatMas } from '../../core/massa/amount-text.ts'
import type { DatastoreEntry } from '../../core/massa/operation.ts'
import type { Slot } from '../../core/units.ts'
import { isContractAddress } from './address-text.ts'
import type { DeferredCalls } from './deferred-calls.ts'
import { bail, ExecutionFault, runtimeFault } from './faults.ts'
import type { Ledger } from './ledger.ts'
import type { RollState, Rolls } from './rolls.ts'
import { ADDRESS_PRICE_NANO_MAS, computeBytecodePrice, computeEntryPrice } from './storage-price.ts'
import { computeContractAddress } from './trail.ts'
import { UnsafeRandom } from './unsafe-random.ts'

/** Events of one operation, message or deferred call (massa-models, MAX_EVENT_PER_OPERATION). */
export const MAX_EVENTS = 25
/** UTF-8 bytes of one event (MAX_EVENT_DATA_SIZE). */
export const MAX_EVENT_BYTES = 1024
/** Calls within calls (MAX_RECURSIVE_CALLS_DEPTH). */
export const MAX_CALL_DEPTH = 25
export const MAX_KEY_BYTES = 255
export const MAX_VALUE_BYTES = 10_000_000
export const MAX_BYTECODE_BYTES = 10_000_000
const MAX_AMOUNT = (1n << 64n) - 1n

export interface ContractEvent {
  readonly slot: Slot
  readonly indexInSlot: number
  /** Addresses from the sender to the emitter. */
  readonly callStack: readonly string[]
  readonly originOperationId?: string
  readonly deferredCallId?: string
  readonly readOnly: boolean
  /** Of an operation that failed: of all its events. */
  readonly isError: boolean
  readonly data: string
}

/** One call on the stack. */
export interface StackElement {
  readonly address: string
  readonly coins: bigint
  /** Addresses that may be written to and spent from. */
  readonly owned: string[]
  /** Of an ExecuteSC, sorted by key. */
  readonly datastore?: readonly DatastoreEntry[]
}

/** What goes back to how it was when an operation fails. */
export interface ContextSnapshot {
  readonly ledger: number
  readonly deferred: unknown
  readonly rolls: RollState
  readonly counters: readonly [addresses: number, events: number, messages: number]
  readonly stack: readonly StackElement[]
  readonly emitted: number
  readonly random: unknown
}

export interface SlotState {
  readonly slot: Slot
  readonly timestampMs: bigint
  readonly trailHash: Uint8Array
}

/**
 * The state of one slot's execution, and the rules for changing the ledger in it (massa-execution-worker, context.rs and
 * speculative_ledger.rs). Every refusal is an ExecutionFault with the node's text.
 */
export class ExecutionContext {
  readonly chainId: bigint
  readonly ledger: Ledger
  readonly deferredCalls: DeferredCalls
  readonly rolls: Rolls
  readonly readOnly: boolean
  readonly at: SlotState
  stack: StackElement[] = []
  events: ContractEvent[] = []
  operationId: string | undefined
  deferredCallId: string | undefined
  callDepth = 0
  userEventCount = 0
  /** Gas left when the last function was started: read-only calls report their gas by it. */
  gasBeforeLastCall: number | undefined
  private createdAddresses = 0
  private createdEvents = 0
  private randomOfSlot: UnsafeRandom | undefined

  constructor(
    at: SlotState,
    modules: {
      readonly chainId: bigint
      readonly ledger: Ledger
      readonly deferredCalls: DeferredCalls
      readonly rolls: Rolls
    },
    options: { readonly readOnly: boolean },
  ) {
    this.at = at
    this.chainId = modules.chainId
    this.ledger = modules.ledger
    this.deferredCalls = modules.deferredCalls
    this.rolls = modules.rolls
    this.readOnly = options.readOnly
  }

  get random(): UnsafeRandom {
    this.randomOfSlot ??= new UnsafeRandom(this.at.trailHash)
    return this.randomOfSlot
  }

  get top(): StackElement {
    const top = this.stack.at(-1)
    if (!top) throw bail('failed to read call stack current address')
    return top
  }

  /** Begins an operation or deferred call: counts start again. */
  begin(stack: StackElement[]): void {
    this.stack = stack
    this.callDepth = 0
    this.userEventCount = 0
    this.gasBeforeLastCall = undefined
  }

  takeSnapshot(): ContextSnapshot {
    return {
      ledger: this.ledger.mark(),
      deferred: this.deferredCalls.save(),
      rolls: this.rolls.save(),
      counters: [this.createdAddresses, this.createdEvents, 0],
      stack: [...this.stack],
      emitted: this.events.length,
      random: this.randomOfSlot?.save(),
    }
  }

  /** As on a node, events stay and are marked as errors, and their indexes are given out again. */
  resetTo(snapshot: ContextSnapshot): void {
    this.ledger.rollback(snapshot.ledger)
    this.deferredCalls.restore(snapshot.deferred)
    this.rolls.restore(snapshot.rolls)
    this.createdAddresses = snapshot.counters[0]
    this.createdEvents = snapshot.counters[1]
    this.stack = [...snapshot.stack]
    if (snapshot.random === undefined) this.randomOfSlot = undefined
    else this.random.restore(snapshot.random)
    for (let i = snapshot.emitted; i < this.events.length; i++) {
      const event = this.events[i]
      if (event) this.events[i] = { ...event, isError: true }
    }
  }

  mayWriteTo(address: string): boolean {
    return this.stack.at(-1)?.owned.includes(address) ?? false
  }

  emit(data: string, isError = false): void {
    this.events.push({
      slot: this.at.slot,
      indexInSlot: this.createdEvents++,
      callStack: this.stack.map(({ address }) => address),
      ...(this.operationId === undefined ? {} : { originOperationId: this.operationId }),
      ...(this.deferredCallId === undefined ? {} : { deferredCallId: this.deferredCallId }),
      readOnly: this.readOnly,
      isError,
      data,
    })
  }

  emitFromContract(data: string): void {
    if (Buffer.byteLength(data) > MAX_EVENT_BYTES) throw bail('Event data size is too large')
    this.userEventCount++
    if (this.userEventCount > MAX_EVENTS) throw bail('Too many event for this operation')
    this.emit(data)
  }

  /** The event of a failure, cut to the size of an event. */
  emitFailure(error: string): void {
    this.emit(cutUtf8(JSON.stringify({ massa_execution_error: error }), MAX_EVENT_BYTES), true)
  }

  checkCallable(address: string): void {
    if (!isContractAddress(address)) {
      throw runtimeFault(`The called address ${address} is not a smart contract address`)
    }
    if (!this.ledger.has(address)) throw runtimeFault(`The called smart contract address ${address} does not exist`)
  }

  /** Moves coins without asking for the right to. An absent side is the chain itself: fees, storage, refunds. */
  moveCoins(from: string | undefined, to: string | undefined, amount: bigint): void {
    const { ledger } = this
    let left: bigint | undefined
    if (from !== undefined) {
      if (!ledger.has(from)) throw runtimeFault(`spending address ${from} not found`)
      left = ledger.balance(from) - amount
      if (left < 0n) {
        throw runtimeFault(
          `failed to transfer ${formatMas(amount)} coins from spending address ${from} due to insufficient balance ${formatMas(ledger.balance(from))}`,
        )
      }
    }
    const credited = to === undefined ? undefined : this.computeCredit(to, amount, to === from ? left : undefined)
    if (from !== undefined && left !== undefined) ledger.setBalance(from, left)
    if (to !== undefined && credited !== undefined) ledger.setBalance(to, credited)
  }

  /** Moves coins that the running contract may spend. */
  transfer(from: string, to: string | undefined, amount: bigint): void {
    if (!this.mayWriteTo(from)) throw runtimeFault(`spending from address ${from} is not allowed in this context`)
    this.moveCoins(from, to, amount)
  }

  /** Keeps `value`. */
  setValue(address: string, key: Uint8Array, value: Uint8Array): void {
    if (!this.mayWriteTo(address)) {
      throw runtimeFault(`writing in the datastore of address ${address} is not allowed in this context`)
    }
    this.putValue(address, key, value)
  }

  appendValue(address: string, key: Uint8Array, value: Uint8Array): void {
    if (!this.mayWriteTo(address)) {
      throw runtimeFault(`appending to the datastore of address ${address} is not allowed in this context`)
    }
    const before = this.ledger.value(address, key)
    if (!before) {
      throw runtimeFault(`appending to the datastore of address ${address} failed: entry ${listBytes(key)} not found`)
    }
    this.putValue(address, key, Buffer.concat([before, value]))
  }

  deleteValue(address: string, key: Uint8Array): void {
    if (!this.mayWriteTo(address)) {
      throw runtimeFault(`deleting from the datastore of address ${address} is not allowed in this context`)
    }
    const before = this.ledger.value(address, key)
    if (!before) {
      throw runtimeFault(
        `could not delete data entry ${listBytes(key)} for address ${address}: entry or address does not exist`,
      )
    }
    this.chargeEntry(computeEntryPrice(key.length, before.length), 0n)
    this.ledger.deleteValue(address, key)
  }

  /** A new contract, owned by the running one until its call ends. */
  createContract(bytecode: Uint8Array): string {
    let nonce = 0
    let address = computeContractAddress(this.at.trailHash, this.createdAddresses, nonce)
    while (this.ledger.has(address)) {
      address = computeContractAddress(this.at.trailHash, this.createdAddresses, ++nonce)
    }
    const creator = this.top.address
    if (!this.ledger.has(creator)) {
      throw runtimeFault(`could not create SC address ${address}: creator address ${creator} does not exist`)
    }
    if (bytecode.length > MAX_BYTECODE_BYTES) {
      throw runtimeFault(`could not create SC address ${address}: bytecode size exceeds maximum allowed size`)
    }
    this.moveCoins(creator, undefined, ADDRESS_PRICE_NANO_MAS + computeBytecodePrice(bytecode.length))
    this.ledger.setBytecode(address, bytecode)
    this.top.owned.push(address)
    this.createdAddresses++
    return address
  }

  setBytecode(address: string, bytecode: Uint8Array): void {
    if (!this.mayWriteTo(address)) {
      throw runtimeFault(`setting the bytecode of address ${address} is not allowed in this context`)
    }
    if (!isContractAddress(address)) {
      throw runtimeFault(`can't set the bytecode of address ${address} because this is not a smart contract address`)
    }
    if (!this.ledger.has(address)) {
      throw runtimeFault(`could not set bytecode for address ${address}: address does not exist`)
    }
    if (bytecode.length > MAX_BYTECODE_BYTES) {
      throw runtimeFault(`could not set bytecode for address ${address}: bytecode size exceeds maximum allowed size`)
    }
    const before = this.ledger.bytecode(address)?.length ?? 0
    this.chargeStorage(computeBytecodePrice(bytecode.length) - computeBytecodePrice(before))
    this.ledger.setBytecode(address, bytecode)
  }

  private computeCredit(to: string, amount: bigint, known: bigint | undefined): bigint {
    if (known !== undefined || this.ledger.has(to)) {
      const before = known ?? this.ledger.balance(to)
      if (before + amount > MAX_AMOUNT) {
        throw runtimeFault(
          `overflow in crediting address ${to} balance ${formatMas(before)} due to adding ${formatMas(amount)} coins to balance`,
        )
      }
      return before + amount
    }
    if (isContractAddress(to)) {
      throw runtimeFault(`cannot transfer coins to non-existing smart contract address ${to}`)
    }
    if (amount < ADDRESS_PRICE_NANO_MAS) {
      throw runtimeFault(`insufficient amount ${formatMas(amount)} to create credited address ${to}`)
    }
    return amount - ADDRESS_PRICE_NANO_MAS
  }

  private putValue(address: string, key: Uint8Array, value: Uint8Array): void {
    if (!this.ledger.has(address)) {
      throw runtimeFault(`could not set data for address ${address}: address does not exist`)
    }
    if (key.length === 0 || key.length > MAX_KEY_BYTES) {
      throw runtimeFault(`key length is ${key.length}, but it must be in [0..=${MAX_KEY_BYTES}]`)
    }
    if (value.length > MAX_VALUE_BYTES) {
      throw runtimeFault(`value length is ${value.length}, but it must be in [0..=${MAX_VALUE_BYTES}]`)
    }
    const before = this.ledger.value(address, key)
    const paid = before ? computeEntryPrice(key.length, before.length) : 0n
    this.chargeEntry(paid, computeEntryPrice(key.length, value.length))
    this.ledger.setValue(address, key, value)
  }

  private chargeEntry(paid: bigint, price: bigint): void {
    try {
      this.chargeStorage(price - paid)
    } catch (error) {
      throw asChargeFault(error)
    }
  }

  /** Storage is paid by, and given back to, whoever runs: the contract itself. */
  private chargeStorage(difference: bigint): void {
    if (difference > 0n) this.moveCoins(this.top.address, undefined, difference)
    else if (difference < 0n) this.moveCoins(undefined, this.top.address, -difference)
  }
}

function asChargeFault(error: unknown): unknown {
  if (!(error instanceof ExecutionFault)) return error
  return runtimeFault(`failed to charge storage costs for datastore entry change: ${error.text}`)
}

/** Bytes as Rust prints them. */
function listBytes(bytes: Uint8Array): string {
  return `[${Array.from(bytes).join(', ')}]`
}

/** At most `maxBytes` of UTF-8; a character cut in two becomes U+FFFD where that fits. */
function cutUtf8(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  for (let end = maxBytes; ; end--) {
    const cut = bytes.toString('utf8', 0, end)
    if (Buffer.byteLength(cut) <= maxBytes) return cut
  }
}
