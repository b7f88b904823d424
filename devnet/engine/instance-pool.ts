import type { ContractMemory } from './contract-memory.ts'
import type { ContractModule } from './module-cache.ts'
import { GLOBAL_EXPORT } from './wasm-meter.ts'
import type { WasmCell } from './webassembly.ts'

/** An instance whose start function has run. */
export interface StartedContract {
  readonly memory: ContractMemory
  /** What the start function used: the same each time, as it depends on nothing. */
  readonly startGas: number
}

/** How a contract is just after its start. */
interface Beginning {
  readonly bytes: Uint8Array
  readonly globals: readonly (number | bigint)[]
  readonly idle: StartedContract[]
}

/** Copying more costs as much as a new instance. */
const MAX_MEMORY_BYTES = 4 * 65_536
/** Of one contract; more than one only where it calls itself. */
const MAX_IDLE = 8

/**
 * Instances to be used again. Each call of a contract must find memory and globals as a new instance has them; writing
 * them back takes a tenth of the time in which V8 makes an instance. Contracts whose memory grew, or whose code can
 * change its table or drop segments, are thrown away.
 */
export class InstancePool {
  private readonly beginnings = new WeakMap<ContractModule, Beginning>()

  /** An instance as good as new; `undefined` when there is none. */
  take(module: ContractModule): StartedContract | undefined {
    const beginning = this.beginnings.get(module)
    const started = beginning?.idle.pop()
    if (!beginning || !started?.memory.putBytes(beginning.bytes)) return undefined
    for (const [i, cell] of cellsOf(started.memory).entries()) cell.value = beginning.globals[i] ?? 0
    return started
  }

  /** To be told of every new instance before it runs. */
  watch({ memory }: StartedContract): void {
    const { module } = memory
    if (!module.isResettable || memory.sizeBytes > MAX_MEMORY_BYTES || this.beginnings.has(module)) return
    const globals = cellsOf(memory).map(({ value }) => value)
    this.beginnings.set(module, { bytes: memory.copyBytes(), globals, idle: [] })
  }

  give(started: StartedContract): void {
    const beginning = this.beginnings.get(started.memory.module)
    if (!beginning || beginning.idle.length >= MAX_IDLE) return
    if (started.memory.sizeBytes === beginning.bytes.length) beginning.idle.push(started)
  }
}

function cellsOf({ module, instance }: ContractMemory): WasmCell[] {
  return module.mutableGlobals.map((index) => instance.exports[`${GLOBAL_EXPORT}${index}`] as WasmCell)
}
