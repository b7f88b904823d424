import { asHostFault, bail } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

/** What AssemblyScript itself imports. Whatever it prints becomes an event. */
export function makeLanguageFunctions(machine: Machine): HostFamily {
  const print = (level: string, gas: bigint) =>
    host('i>', (text: number) => {
      machine.memory.charge(gas)
      machine.context.emitFromContract(`${level} | ${machine.memory.readString(text)}`)
    })
  return {
    abort: host('iiii>', (message: number, file: number, line: number, column: number) => {
      const [text, place] = readAbort(machine, message, file)
      throw bail(`error: ${text} at ${place}:${line} col: ${column}`)
    }),
    seed: host('>F', () => {
      machine.memory.charge(machine.gas.seed)
      return machine.context.random.nextFraction()
    }),
    'Date.now': host('>F', () => {
      machine.memory.charge(machine.gas.date_now)
      return Number(machine.context.at.timestampMs)
    }),
    'console.log': print('LOG', machine.gas.console_log),
    'console.info': print('INFO', machine.gas.console_info),
    'console.warn': print('WARN', machine.gas.console_warn),
    'console.error': print('ERROR', machine.gas.console_error),
    'console.debug': print('DEBUG', machine.gas.console_debug),
    trace: host('iiFFFFF>', (text: number, count: number, ...values: number[]) => {
      machine.memory.charge(machine.gas.trace)
      const message = machine.memory.readString(text)
      if (count < 1 || count > 5) return machine.context.emitFromContract(message)
      const shown = values.slice(0, count).map((value, i) => `, a${i}: ${formatDouble(value)}`)
      machine.context.emitFromContract(`msg: ${message}${shown.join('')}`)
    }),
    'process.exit': host('i>', (code: number) => {
      throw bail(`exit with code: ${code}`)
    }),
  }
}

/** An assertion without a message has the null pointer for one, which nobody can read. */
function readAbort({ memory }: Machine, message: number, file: number): [string, string] {
  try {
    return [memory.readString(message), memory.readString(file)]
  } catch (error) {
    if (!asHostFault(error)) throw error
    throw bail('aborting failed to load message or filename')
  }
}

/** As Rust prints a double: never with an exponent. */
function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!parts) return text
  const [, sign = '', lead = '', rest = '', exponent = '0'] = parts
  const digits = lead + rest
  const power = Number(exponent)
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`
  return sign + digits.padEnd(power + 1, '0')
}
