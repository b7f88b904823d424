import { encodeBase58Check } from '../../core/base58check.ts'
import { ByteWriter } from '../../core/codec.ts'
import { writeSlot } from '../../core/massa/atoms.ts'
import { type Slot, slotIndex } from '../../core/units.ts'
import { ExecutionFault } from './faults.ts'
import { computeDeferredCallPrice } from './storage-price.ts'

/** Slots ahead that can be booked: seven days (massa-models, DEFERRED_CALL_MAX_FUTURE_SLOTS). */
const MAX_FUTURE_SLOTS = 1_209_600
/** Gas of one slot (MAX_ASYNC_GAS); half of it is the target above which booking costs more. */
const MAX_SLOT_GAS = 1_000_000_000n
const TARGET_SLOT_GAS = MAX_SLOT_GAS / 2n
/** Added to the gas of every call (DEFERRED_CALL_CST_GAS_COST). */
export const DEFERRED_CALL_BASE_GAS = 750_000n
/** nanoMAS per gas, the lowest price of a live network (DEFERRED_CALL_MIN_GAS_COST). */
export const MIN_DEFERRED_GAS_PRICE = 10n
const GLOBAL_PENALTY_NANO_MAS = 1_000_000_000n
const SLOT_PENALTY_NANO_MAS = 100_000n
const MAX_PARAMETER_BYTES = 10_000_000n

export interface DeferredCall {
  readonly id: string
  readonly sender: string
  readonly slot: Slot
  readonly target: string
  readonly functionName: string
  readonly parameter: Uint8Array
  readonly coins: bigint
  /** Without DEFERRED_CALL_BASE_GAS. */
  readonly maxGas: bigint
  /** Paid for the booking, nanoMAS. */
  readonly feeNanoMas: bigint
  readonly isCancelled: boolean
}

/** Calls registered for later slots, in the order in which they will run. An old state can be put back. */
export class DeferredCalls {
  private readonly gasPrice: bigint
  private calls: readonly DeferredCall[]

  constructor(gasPriceNanoMas: bigint, calls: readonly DeferredCall[] = []) {
    this.gasPrice = gasPriceNanoMas
    this.calls = calls
  }

  /** In the order in which they will run; never changed. */
  list(): readonly DeferredCall[] {
    return this.calls
  }

  save(): unknown {
    return this.calls
  }

  restore(saved: unknown): void {
    this.calls = saved as readonly DeferredCall[]
  }

  find(id: string): DeferredCall | undefined {
    return this.calls.find((call) => call.id === id)
  }

  /**
   * Price of booking, nanoMAS (massa-execution-worker, speculative_deferred_calls.rs).
   *
   * @param gas - DEFERRED_CALL_BASE_GAS included
   * @throws ExecutionFault when the slot cannot be booked
   */
  computeFee(
    request: { readonly slot: Slot; readonly gas: bigint; readonly parameterBytes: bigint },
    now: Slot,
  ): bigint {
    const { slot, gas, parameterBytes } = request
    const distance = slotIndex(slot) - slotIndex(now)
    if (distance <= 0) throw deferredFault('Target slot is in the past.')
    if (distance > MAX_FUTURE_SLOTS) throw deferredFault('Target slot is too far in the future.')
    const booked = this.sumGas((call) => slotIndex(call.slot) === slotIndex(slot))
    if (booked + gas > MAX_SLOT_GAS) throw deferredFault('Not enough gas available in the target slot.')
    if (parameterBytes > MAX_PARAMETER_BYTES) throw deferredFault('Parameters size is too big.')
    const slots = BigInt(MAX_FUTURE_SLOTS)
    const all = { supply: MAX_SLOT_GAS * slots, target: TARGET_SLOT_GAS * slots, penalty: GLOBAL_PENALTY_NANO_MAS }
    const one = { supply: MAX_SLOT_GAS, target: TARGET_SLOT_GAS, penalty: SLOT_PENALTY_NANO_MAS }
    return (
      this.gasPrice * gas +
      computeOverbookingFee(
        all,
        this.sumGas(() => true),
        gas,
      ) +
      computeOverbookingFee(one, booked, gas) +
      computeDeferredCallPrice(parameterBytes)
    )
  }

  /** @returns the id of the call */
  register(call: Omit<DeferredCall, 'id' | 'isCancelled'>, trailHash: Uint8Array): string {
    const index = this.calls.filter((other) => slotIndex(other.slot) === slotIndex(call.slot)).length
    const writer = new ByteWriter(64).varint(0)
    writeSlot(writer, call.slot)
    const id = `D${encodeBase58Check(writer.u64(BigInt(index)).raw(trailHash).finish())}`
    const calls = [...this.calls, { ...call, id, isCancelled: false }]
    this.calls = calls.sort((a, b) => slotIndex(a.slot) - slotIndex(b.slot))
    return id
  }

  cancel(id: string): DeferredCall {
    const call = this.find(id)
    if (!call) throw deferredFault('Call ID does not exist.')
    if (call.isCancelled) throw deferredFault('Call ID is already cancelled.')
    this.calls = this.calls.map((other) => (other === call ? { ...call, isCancelled: true } : other))
    return call
  }

  /** Takes out the first call due at or before the slot. */
  takeDue(slot: Slot): DeferredCall | undefined {
    const [first, ...rest] = this.calls
    if (!first || slotIndex(first.slot) > slotIndex(slot)) return undefined
    this.calls = rest
    return first
  }

  /** Cancelled ones count until their slot: a node gives their coins back, but not their gas (`cancel_call`). */
  private sumGas(counts: (call: DeferredCall) => boolean): bigint {
    let sum = 0n
    for (const call of this.calls) if (counts(call)) sum += call.maxGas + DEFERRED_CALL_BASE_GAS
    return sum
  }
}

interface Resource {
  readonly supply: bigint
  readonly target: bigint
  readonly penalty: bigint
}

/** Nothing below the target, then growing with the square of what is booked. */
function computeOverbookingFee({ supply, target, penalty }: Resource, booked: bigint, request: bigint): bigint {
  const above = (gas: bigint) => (gas > target ? gas - target : 0n)
  const before = above(booked)
  const after = above(booked + request)
  return (penalty * (after * after - before * before)) / (supply - target) ** 2n
}

export function deferredFault(message: string): ExecutionFault {
  return new ExecutionFault(`Autonomous smart contract call error: ${message}`)
}
