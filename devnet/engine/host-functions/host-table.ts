import type { Machine } from '../machine.ts'
import type { Signature } from '../wasm-sections.ts'
import { makeCallFunctions } from './calls.ts'
import { makeCoinFunctions } from './coins.ts'
import { makeContextFunctions } from './context.ts'
import { makeCryptoFunctions } from './crypto.ts'
import { makeDeferredFunctions } from './deferred.ts'
import { makeEventFunctions } from './events.ts'
import { makeEvmFunctions } from './evm.ts'
import { makeLanguageFunctions } from './language.ts'
import { makeOperationFunctions } from './operation-datastore.ts'
import { makeStorageFunctions } from './storage.ts'

/** What a contract may import. Pointers are i32, amounts and gas i64. */
export interface HostFunction {
  readonly signature: Signature
  /** Takes and gives numbers for i32 and f64, bigints for i64. */
  readonly run: (...values: never[]) => unknown
}

/** By module and name, `massa.assembly_script_call`. */
export type HostTable = ReadonlyMap<string, HostFunction>

/** Functions of one family, by name without module and `assembly_script_`. */
export type HostFamily = Readonly<Record<string, HostFunction>>

/** All host functions of a node: 57 of its own and 10 of AssemblyScript. */
export function buildHostTable(machine: Machine): HostTable {
  const own: HostFamily = {
    ...makeCallFunctions(machine),
    ...makeStorageFunctions(machine),
    ...makeOperationFunctions(machine),
    ...makeCoinFunctions(machine),
    ...makeContextFunctions(machine),
    ...makeCryptoFunctions(machine),
    ...makeEvmFunctions(machine),
    ...makeEventFunctions(machine),
    ...makeDeferredFunctions(machine),
  }
  const table = new Map<string, HostFunction>()
  for (const [name, host] of Object.entries(own)) table.set(`massa.assembly_script_${name}`, host)
  for (const [name, host] of Object.entries(makeLanguageFunctions(machine))) table.set(`env.${name}`, host)
  return table
}

/** The form in which V8 takes them. */
export function toImportObject(table: HostTable): object {
  const modules: Record<string, Record<string, HostFunction['run']>> = {}
  for (const [path, { run }] of table) {
    const dot = path.indexOf('.')
    const module = path.slice(0, dot)
    modules[module] ??= {}
    modules[module][path.slice(dot + 1)] = run
  }
  return modules
}

/** One host function with the letters of its type (see Signature). */
export function host(signature: Signature, run: HostFunction['run']): HostFunction {
  return { signature, run }
}
