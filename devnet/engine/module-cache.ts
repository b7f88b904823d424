import { hash } from 'node:crypto'
import { blake3 } from '#crypto'
import { formatHash } from '../../core/massa/atoms.ts'
import { checkModuleLimits, MAX_MEMORY_PAGES } from './wasm-limits.ts'
import { meterModule, type OffsetMap } from './wasm-meter.ts'
import { InvalidModule } from './wasm-reader.ts'
import { type ExternalKind, type ParsedModule, parseModule, type Signature } from './wasm-sections.ts'
import { type WasmModule, wasm } from './webassembly.ts'

/** A contract that is ready to run. */
export interface ContractModule {
  readonly compiled: WasmModule
  /** As it came, without the metering. */
  readonly bytecode: Uint8Array
  readonly offsets: OffsetMap
  readonly imports: ParsedModule['imports']
  readonly mutableGlobals: readonly number[]
  /** Its instances can be used again once memory and globals are written back. */
  readonly isResettable: boolean
  readonly functionNames: ReadonlyMap<number, string>
  /** Why a node would not make its memory; `undefined` when it would. */
  readonly memoryFault: string | undefined
  /** Signature of an exported function; `undefined` when there is none of that name. */
  findFunction(name: string): Signature | undefined
  /** Kind of an export; `undefined` when there is none of that name. */
  findExport(name: string): ExternalKind | undefined
}

/** Why a node would not compile it. */
export interface RefusedModule {
  readonly refusal: string
}

const DEFAULT_MAX_MODULES = 256
/** First byte of a wasm file; 1 stands for a newer kind of contract. */
const WASM_FIRST_BYTE = 0
const NEWER_FIRST_BYTE = 1

/**
 * Compiled and metered modules by bytecode, refused ones too; the oldest leaves when it is full.
 *
 * Compiling takes some milliseconds and a call a fraction of one, so engines that run the same contracts should share
 * a cache.
 */
export class ModuleCache {
  private readonly maxModules: number
  private readonly modules = new Map<string, ContractModule | RefusedModule>()
  /** Bytecodes on a ledger are kept as one array: hashing it once is enough. */
  private readonly known = new WeakMap<Uint8Array, ContractModule | RefusedModule>()

  constructor(options: { readonly maxModules?: number } = {}) {
    this.maxModules = options.maxModules ?? DEFAULT_MAX_MODULES
  }

  /** The bytes must not be changed afterwards. */
  load(bytecode: Uint8Array): ContractModule | RefusedModule {
    const known = this.known.get(bytecode)
    if (known) return known
    const id = hash('sha256', bytecode, 'base64')
    let module = this.modules.get(id)
    if (!module) {
      module = compile(bytecode)
      const [oldest] = this.modules.keys()
      if (this.modules.size >= this.maxModules && oldest !== undefined) this.modules.delete(oldest)
      this.modules.set(id, module)
    }
    this.known.set(bytecode, module)
    return module
  }
}

/** The node's text for a contract on the ledger that it cannot compile. */
export function describeRefusal(bytecode: Uint8Array, refusal: string): string {
  return `compilation of module ${formatHash(blake3(bytecode))} failed: ${refusal}`
}

function compile(bytecode: Uint8Array): ContractModule | RefusedModule {
  const first = bytecode[0] ?? 0
  if (bytecode.length <= 2) return { refusal: 'Too small bytecode' }
  if (first === NEWER_FIRST_BYTE) {
    return { refusal: 'Failed to compile WasmV1 module: this engine runs AssemblyScript contracts only' }
  }
  if (first !== WASM_FIRST_BYTE) {
    return {
      refusal: `Unsupported file format for SC(No discriminant in enum \`RuntimeModuleId\` matches the value \`${first}\`)`,
    }
  }
  try {
    return build(bytecode)
  } catch (error) {
    // V8's CompileError is a plain Error of this name.
    if (error instanceof InvalidModule || (error instanceof Error && error.name === 'CompileError')) {
      return { refusal: `VM instance error: ${error.message}` }
    }
    throw error
  }
}

function build(bytecode: Uint8Array): ContractModule {
  const parsed = parseModule(bytecode)
  checkModuleLimits(parsed)
  const metered = meterModule(bytecode, parsed)
  return {
    compiled: new wasm.Module(metered.bytes),
    bytecode,
    offsets: metered.offsets,
    imports: parsed.imports,
    mutableGlobals: parsed.mutableGlobals,
    isResettable: metered.isResettable,
    functionNames: parsed.functionNames,
    memoryFault: findMemoryFault(parsed),
    findFunction: (name) => {
      const found = parsed.exports.get(name)
      if (found?.kind !== 'function') return undefined
      return parsed.types[parsed.functionTypes[found.index] ?? -1]
    },
    findExport: (name) => parsed.exports.get(name)?.kind,
  }
}

function findMemoryFault({ memories: [memory] }: ParsedModule): string | undefined {
  if (!memory) return undefined
  if (memory.minPages > MAX_MEMORY_PAGES) return 'Minimum exceeds the allowed memory limit'
  return (memory.maxPages ?? 0) > MAX_MEMORY_PAGES ? 'Maximum exceeds the allowed memory limit' : undefined
}
