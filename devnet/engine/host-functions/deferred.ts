import { findCallIdFault } from '../../../core/massa/text-faults.ts'
import { type Slot, THREAD_COUNT } from '../../../core/units.ts'
import { checkAddress, isContractAddress } from '../address-text.ts'
import { DEFERRED_CALL_BASE_GAS, deferredFault } from '../deferred-calls.ts'
import { bail, ExecutionFault } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

const MAX_FUNCTION_NAME_BYTES = 255
const MAX_PARAMETER_BYTES = 10_000_000

/** Calls that a contract books for a later slot. */
export function makeDeferredFunctions(machine: Machine): HostFamily {
  /** `undefined` when the slot cannot be booked. */
  const quote = (slot: Slot, gas: bigint, parameterBytes: bigint): bigint | undefined => {
    if (slot.thread >= THREAD_COUNT) throw bail('target slot thread exceeds the configuration thread count')
    const { deferredCalls, at } = machine.context
    try {
      return deferredCalls.computeFee({ slot, gas: gas + DEFERRED_CALL_BASE_GAS, parameterBytes }, at.slot)
    } catch (error) {
      if (error instanceof ExecutionFault) return undefined
      throw error
    }
  }
  const readId = (pointer: number): string => {
    const text = machine.memory.readString(pointer)
    const fault = findCallIdFault(text)
    if (fault !== undefined) throw bail(fault)
    return text
  }
  return {
    get_deferred_call_quote: host('IiII>I', (period: bigint, thread: number, gas: bigint, parameterBytes: bigint) => {
      machine.memory.charge(machine.gas.get_deferred_call_quote)
      const slot = readTarget(period, thread)
      if (gas < 0n) throw bail('negative max gas')
      if (parameterBytes < 0n) throw bail('negative params size')
      return quote(slot, gas, parameterBytes) ?? 0n
    }),
    deferred_call_register: host(
      'iiIiIiI>i',
      (to: number, name: number, period: bigint, thread: number, gas: bigint, bytes: number, coins: bigint) => {
        const { memory, context } = machine
        memory.charge(machine.gas.deferred_call_register)
        const slot = readTarget(period, thread)
        if (gas < 0n) throw bail('negative max gas')
        if (coins < 0n) throw bail('negative coins')
        const target = memory.readString(to)
        const functionName = memory.readString(name)
        const parameter = memory.readBuffer(bytes)
        checkTarget(checkAddress(target), functionName, parameter)
        const fee = quote(slot, gas, BigInt(parameter.length))
        if (fee === undefined) {
          throw bail(
            'The Deferred call cannot be registered. Ensure that the target slot is not before/at the current slot nor too far in the future, and that it has at least max_gas available gas.',
          )
        }
        const sender = context.top.address
        context.transfer(sender, undefined, coins + fee)
        const call = { sender, slot, target, functionName, parameter, coins, maxGas: gas, feeNanoMas: fee }
        return memory.writeString(context.deferredCalls.register(call, context.at.trailHash))
      },
    ),
    deferred_call_exists: host('i>i', (id: number) => {
      const { context } = machine
      machine.memory.charge(machine.gas.deferred_call_exists)
      const call = context.deferredCalls.find(readId(id))
      return call && !call.isCancelled ? 1 : 0
    }),
    deferred_call_cancel: host('i>', (id: number) => {
      const { context } = machine
      machine.memory.charge(machine.gas.deferred_call_cancel)
      const text = readId(id)
      const call = context.deferredCalls.find(text)
      if (!call) throw deferredFault(`deferred call ${text} does not exist`)
      if (call.sender !== context.top.address) {
        throw deferredFault(
          `only the caller ${call.sender} can cancel the deferred call (cancel caller: ${context.top.address})`,
        )
      }
      context.deferredCalls.cancel(text)
      context.moveCoins(undefined, call.sender, call.coins)
    }),
  }
}

function readTarget(period: bigint, thread: number): Slot {
  if (period < 0n) throw bail('negative validity end period')
  if (thread < 0 || thread > 255) throw bail('invalid validity end thread')
  // A period beyond what a number holds is too far in the future, and so is this one.
  return { period: Number(period < 2n ** 48n ? period : 2n ** 48n), thread }
}

function checkTarget(target: string, functionName: string, parameter: Uint8Array): void {
  if (!isContractAddress(target)) throw bail('target address is not a smart contract address')
  if (Buffer.byteLength(functionName) > MAX_FUNCTION_NAME_BYTES) throw bail('Function name is too large')
  if (parameter.length > MAX_PARAMETER_BYTES) throw bail('Parameter size is too large')
}
