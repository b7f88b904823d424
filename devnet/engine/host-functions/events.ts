import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

export function makeEventFunctions(machine: Machine): HostFamily {
  return {
    generate_event: host('i>', (text: number) => {
      machine.memory.charge(machine.gas.generate_event)
      machine.context.emitFromContract(machine.memory.readString(text))
    }),
  }
}
