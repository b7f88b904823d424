import type { DatastoreEntry } from '../../../core/massa/operation.ts'
import { bail } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'
import { MAX_OPERATION_KEYS, packKeys } from './key-list.ts'

/** The datastore that an ExecuteSC brings along. Calls from it do not see it. */
export function makeOperationFunctions(machine: Machine): HostFamily {
  /** @param title - before the text of a node's error: of all functions but the one that gives data */
  const entries = (title = 'Interface generic error '): readonly DatastoreEntry[] => {
    const { datastore } = machine.context.top
    if (!datastore) throw bail(`${title}No datastore in stack`)
    return datastore
  }
  const find = (key: Uint8Array, title?: string) => entries(title).find((entry) => Buffer.compare(entry.key, key) === 0)
  const list = (prefix: Uint8Array) => {
    const keys = entries().map(({ key }) => key)
    const found = keys.filter((key) => Buffer.compare(key.subarray(0, prefix.length), prefix) === 0)
    return machine.memory.writeBuffer(packKeys(found, MAX_OPERATION_KEYS))
  }
  return {
    get_op_keys: host('>i', () => {
      machine.memory.charge(machine.gas.get_op_keys)
      return list(new Uint8Array())
    }),
    get_op_keys_prefix: host('i>i', (prefix: number) => {
      machine.memory.charge(machine.gas.get_op_keys_prefix)
      return list(machine.memory.readBuffer(prefix))
    }),
    has_op_key: host('i>i', (key: number) => {
      machine.memory.charge(machine.gas.has_op_key)
      const found = find(machine.memory.readBuffer(key))
      return machine.memory.writeBuffer(Uint8Array.of(found ? 1 : 0))
    }),
    get_op_data: host('i>i', (key: number) => {
      machine.memory.charge(machine.gas.get_op_data)
      const bytes = machine.memory.readBuffer(key)
      const found = find(bytes, '')
      if (!found) throw bail(`Unknown key: [${Array.from(bytes).join(', ')}]`)
      return machine.memory.writeBuffer(found.value)
    }),
  }
}
