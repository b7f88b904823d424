import { checkAddress } from '../address-text.ts'
import { bail } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'
import { MAX_LISTED_KEYS, packKeys } from './key-list.ts'

/** Datastores: the contract's own and, by the functions ending in `_for`, those of any address. */
export function makeStorageFunctions(machine: Machine): HostFamily {
  const own = () => machine.context.top.address
  const readAddress = (pointer: number) => checkAddress(machine.memory.readString(pointer))
  const read = (pointer: number) => machine.memory.readBuffer(pointer)
  const get = (address: string, key: Uint8Array) => {
    const value = machine.context.ledger.value(address, key)
    if (!value) throw bail('data entry not found')
    return machine.memory.writeBuffer(value)
  }
  const has = (address: string, key: Uint8Array) => (machine.context.ledger.hasValue(address, key) ? 1 : 0)
  const list = (address: string, prefix: Uint8Array) => {
    const { ledger } = machine.context
    if (!ledger.has(address)) throw bail('data entry not found')
    return machine.memory.writeBuffer(packKeys(ledger.keys(address, prefix), MAX_LISTED_KEYS))
  }
  return {
    set_data: host('ii>', (key: number, value: number) => {
      machine.memory.charge(machine.gas.set_data)
      const keyBytes = read(key)
      machine.context.setValue(own(), keyBytes, read(value))
    }),
    set_data_for: host('iii>', (address: number, key: number, value: number) => {
      machine.memory.charge(machine.gas.set_data_for)
      const [keyBytes, valueBytes] = [read(key), read(value)]
      machine.context.setValue(readAddress(address), keyBytes, valueBytes)
    }),
    append_data: host('ii>', (key: number, value: number) => {
      machine.memory.charge(machine.gas.append_data)
      const keyBytes = read(key)
      machine.context.appendValue(own(), keyBytes, read(value))
    }),
    append_data_for: host('iii>', (address: number, key: number, value: number) => {
      machine.memory.charge(machine.gas.append_data_for)
      const [keyBytes, valueBytes] = [read(key), read(value)]
      machine.context.appendValue(readAddress(address), keyBytes, valueBytes)
    }),
    get_data: host('i>i', (key: number) => {
      machine.memory.charge(machine.gas.get_data)
      return get(own(), read(key))
    }),
    get_data_for: host('ii>i', (address: number, key: number) => {
      machine.memory.charge(machine.gas.get_data_for)
      const of = readAddress(address)
      return get(of, read(key))
    }),
    has_data: host('i>i', (key: number) => {
      machine.memory.charge(machine.gas.has_data)
      return has(own(), read(key))
    }),
    has_data_for: host('ii>i', (address: number, key: number) => {
      machine.memory.charge(machine.gas.has_data_for)
      const of = readAddress(address)
      return has(of, read(key))
    }),
    delete_data: host('i>', (key: number) => {
      machine.memory.charge(machine.gas.delete_data)
      machine.context.deleteValue(own(), read(key))
    }),
    delete_data_for: host('ii>', (address: number, key: number) => {
      machine.memory.charge(machine.gas.delete_data_for)
      const of = readAddress(address)
      machine.context.deleteValue(of, read(key))
    }),
    get_keys: host('i>i', (prefix: number) => {
      machine.memory.charge(machine.gas.get_keys)
      return list(own(), read(prefix))
    }),
    get_keys_for: host('ii>i', (address: number, prefix: number) => {
      machine.memory.charge(machine.gas.get_keys_for)
      const of = readAddress(address)
      return list(of, read(prefix))
    }),
  }
}
