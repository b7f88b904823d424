import { checkAddress, isAddress, isContractAddress } from '../address-text.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

/** Who calls, where and when. */
export function makeContextFunctions(machine: Machine): HostFamily {
  return {
    get_call_stack: host('>i', () => {
      const { memory, context } = machine
      memory.charge(machine.gas.get_call_stack)
      return memory.writeString(JSON.stringify(context.stack.map(({ address }) => address)))
    }),
    get_owned_addresses: host('>i', () => {
      const { memory, context } = machine
      memory.charge(machine.gas.get_owned_addresses)
      return memory.writeString(JSON.stringify(context.top.owned))
    }),
    caller_has_write_access: host('>i', () => {
      const { memory, context } = machine
      memory.charge(machine.gas.caller_has_write_access)
      const caller = context.stack.at(-2) ?? context.top
      return caller.owned.includes(context.top.address) ? 1 : 0
    }),
    get_remaining_gas: host('>I', () => {
      machine.memory.charge(machine.gas.get_remaining_gas)
      return machine.memory.gas.value
    }),
    get_time: host('>I', () => {
      machine.memory.charge(machine.gas.get_time)
      return machine.context.at.timestampMs
    }),
    get_current_period: host('>I', () => {
      machine.memory.charge(machine.gas.get_current_period)
      return BigInt(machine.context.at.slot.period)
    }),
    get_current_thread: host('>i', () => {
      machine.memory.charge(machine.gas.get_current_thread)
      return machine.context.at.slot.thread
    }),
    chain_id: host('>I', () => {
      machine.memory.charge(machine.gas.chain_id)
      return machine.context.chainId
    }),
    get_origin_operation_id: host('>i', () => {
      machine.memory.charge(machine.gas.get_origin_operation_id)
      return machine.memory.writeString(machine.context.operationId ?? '')
    }),
    unsafe_random: host('>I', () => {
      machine.memory.charge(machine.gas.unsafe_random)
      return machine.context.random.nextSigned()
    }),
    // The only one that a start function may call.
    validate_address: host('i>i', (text: number) => {
      machine.memory.chargeAlways(machine.gas.validate_address)
      return isAddress(machine.memory.readString(text)) ? 1 : 0
    }),
    is_address_eoa: host('i>i', (text: number) => {
      machine.memory.charge(machine.gas.is_address_eoa)
      return isContractAddress(checkAddress(machine.memory.readString(text))) ? 0 : 1
    }),
    // A node writes it into its log.
    print: host('i>', (text: number) => {
      machine.memory.charge(machine.gas.print)
      machine.memory.readString(text)
    }),
  }
}
