import { ContractMemory, isTrap } from './contract-memory.ts'
import type { ExecutionContext } from './execution-context.ts'
import { asHostFault, ExecutionFault, HostFault, VmFault } from './faults.ts'
import { type GasPrices, LAUNCH_GAS, MAX_INSTANCE_GAS } from './gas-table.ts'
import { buildHostTable, type HostTable, toImportObject } from './host-functions/host-table.ts'
import { InstancePool, type StartedContract } from './instance-pool.ts'
import { type ContractModule, describeRefusal, type ModuleCache, type RefusedModule } from './module-cache.ts'
import { describeTrap, withLongTraces } from './trap-trace.ts'
import { START_EXPORT } from './wasm-meter.ts'
import type { ExternalKind, Signature } from './wasm-sections.ts'
import { type WasmInstance, wasm } from './webassembly.ts'

/** What is called with which bytes; `main` never returns any. */
export interface Invocation {
  readonly functionName: string
  readonly parameter: Uint8Array
  /** Gas that the call may use. */
  readonly gas: number
}

export interface Returned {
  readonly returned: Uint8Array
  readonly gasLeft: number
}

const MAIN = 'main'
const NOTHING = new Uint8Array()
const MAX_MODULE_BYTES = 10_000_000

/**
 * Runs functions of contracts (massa-sc-runtime, exec_as_module). Each run has an instance of its own, new or as good as new; host functions
 * are made once and serve whichever contract is running.
 */
export class Machine {
  readonly modules: ModuleCache
  /** Prices of host functions. */
  readonly gas: GasPrices
  private readonly hosts: HostTable
  private readonly importObject: object
  private readonly pool = new InstancePool()
  /** Why a module's imports cannot be given to it; `undefined` when they can. */
  private readonly linked = new WeakMap<ContractModule, string | undefined>()
  private current: ContractMemory | undefined
  private currentContext: ExecutionContext | undefined
  /** Of the contract in which the last failure arose; nothing when none had been started. */
  gasLeftAtFault: number | undefined

  constructor(modules: ModuleCache, gas: GasPrices) {
    this.modules = modules
    this.gas = gas
    this.hosts = buildHostTable(this)
    this.importObject = toImportObject(this.hosts)
  }

  /** The running contract. Host functions only. */
  get memory(): ContractMemory {
    if (!this.current) throw new HostFault('AssemblyScript memory is missing from the environment')
    return this.current
  }

  get context(): ExecutionContext {
    if (!this.currentContext) throw new HostFault('no execution under way')
    return this.currentContext
  }

  /** Everything run by `work` happens in this context. */
  within<T>(context: ExecutionContext, work: () => T): T {
    const before = this.currentContext
    this.currentContext = context
    this.gasLeftAtFault = undefined
    try {
      return withLongTraces(work)
    } finally {
      this.currentContext = before
    }
  }

  /** A contract's module, compiled if need be; ExecutionFault when a node would not load it. */
  loadModule(bytecode: Uint8Array, gas: number): ContractModule {
    checkInstanceGas(gas)
    if (bytecode.length === 0) throw loadFault('invalid module: load_module: bytecode is absent')
    if (bytecode.length > MAX_MODULE_BYTES) throw loadFault(`invalid module: load_module: ${tooLong(bytecode)}`)
    const module = this.modules.load(bytecode)
    if (isRefused(module)) throw loadFault(`invalid module: ${describeRefusal(bytecode, module.refusal)}`)
    return module
  }

  /** The module of bytecode that comes with an operation. */
  loadTemporaryModule(bytecode: Uint8Array, gas: number): ContractModule {
    if (bytecode.length > MAX_MODULE_BYTES) throw loadFault(`load_tmp_module: ${tooLong(bytecode)}`)
    checkInstanceGas(gas)
    const module = this.modules.load(bytecode)
    if (isRefused(module)) throw new ExecutionFault(`Cache error: VM error: ${module.refusal}`)
    return module
  }

  /** Throws VmFault. */
  run(module: ContractModule, invocation: Invocation): Returned {
    this.context.gasBeforeLastCall = invocation.gas
    const before = this.current
    let started: StartedContract | undefined
    try {
      started = this.pool.take(module) ?? this.start(module)
      const { memory, startGas } = started
      this.current = memory
      memory.gas.value = BigInt(Math.max(0, invocation.gas - startGas))
      return execute(memory, invocation)
    } catch (error) {
      this.gasLeftAtFault ??= this.current === before ? undefined : Math.max(0, Number(this.memory.gas.value))
      throw error
    } finally {
      this.current = before
      if (started) this.pool.give(started)
    }
  }

  private start(module: ContractModule): StartedContract {
    const missing = this.findImportFault(module) ?? module.memoryFault
    if (missing !== undefined) throw instanceFault(missing)
    let instance: WasmInstance
    try {
      instance = new wasm.Instance(module.compiled, this.importObject)
    } catch (error) {
      if (isTrap(error) || (error instanceof Error && error.name === 'LinkError')) throw instanceFault(error.message)
      throw error
    }
    const memoryKind = module.findExport('memory')
    if (memoryKind !== 'memory') throw instanceFault(describeMissing('memory', memoryKind))
    const memory = new ContractMemory(module, instance)
    this.current = memory
    const start = instance.exports[START_EXPORT]
    if (typeof start === 'function') runStart(memory, start as () => void)
    memory.isOpen = true
    const started = { memory, startGas: MAX_INSTANCE_GAS - Math.max(0, Number(memory.gas.value)) }
    this.pool.watch(started)
    return started
  }

  private findImportFault(module: ContractModule): string | undefined {
    if (!this.linked.has(module)) this.linked.set(module, this.checkImports(module))
    return this.linked.get(module)
  }

  /** As the node says it of the first import that it does not have. */
  private checkImports(module: ContractModule): string | undefined {
    for (const { module: from, name, kind, signature } of module.imports) {
      const host = this.hosts.get(`${from}.${name}`)
      const title = `Error while importing "${from}"."${name}"`
      if (!host || kind !== 'function') return `${title}: unknown import. Expected ${describeType(signature ?? kind)}`
      if (host.signature !== signature) {
        return `${title}: incompatible import type. Expected ${describeType(signature ?? kind)} but received ${describeType(host.signature)}`
      }
    }
    return undefined
  }
}

function runStart(memory: ContractMemory, start: () => void): void {
  try {
    start()
  } catch (error) {
    const fault = asHostFault(error)
    if (fault) throw instanceFault(`RuntimeError: ${fault.text}`)
    if (!isTrap(error)) throw error
    if (memory.gas.value < 0n) throw instanceFault('Not enough gas, limit reached at initialization')
    throw instanceFault(describeTrap(error, memory.module))
  }
}

function execute(memory: ContractMemory, { functionName, parameter }: Invocation): Returned {
  const fail = (detail: string) => {
    const isOut = memory.gas.value < 0n
    return new VmFault(
      'execution',
      isOut ? `Not enough gas, limit reached at: ${functionName}` : `VM instance error: ${detail}`,
    )
  }
  const left = memory.gas.value - BigInt(LAUNCH_GAS)
  if (left < 0n) throw fail('Not enough gas to launch the virtual machine')
  memory.gas.value = left
  const signature = memory.module.findFunction(functionName)
  if (signature === undefined) throw fail(describeMissing(functionName, memory.module.findExport(functionName)))
  const parameters = signature.slice(0, signature.indexOf('>'))
  if (parameters.length > 1) throw fail('Unexpected number of parameters in the function called')
  const run = memory.instance.exports[functionName] as (pointer?: number) => unknown
  const pointer = parameters === '' ? undefined : inside(fail, () => memory.writeBuffer(parameter))
  // V8 would turn the pointer into a float, and throws where it should become an i64.
  if (parameters !== '' && parameters !== 'i') {
    throw fail(`RuntimeError: Parameters of type [I32] did not match signature ${describeSignature(signature)}`)
  }
  let result: unknown
  try {
    result = run(pointer)
  } catch (error) {
    const fault = asHostFault(error)
    if (fault) throw new VmFault('depth', fault.text)
    if (isTrap(error)) throw fail(describeTrap(error, memory.module))
    throw error
  }
  const returned = functionName === MAIN ? NOTHING : readResult(memory, signature, result, fail)
  return { returned, gasLeft: Number(memory.gas.value) }
}

function readResult(
  memory: ContractMemory,
  signature: string,
  result: unknown,
  fail: (detail: string) => VmFault,
): Uint8Array {
  if (signature.endsWith('>')) return NOTHING
  if (!signature.endsWith('>i')) throw fail("Execution wasn't in capacity to read the return value")
  return inside(fail, () => memory.readBuffer(result as number))
}

/** Reading and writing memory for the run itself, not for a host function: the fault is the run's own. */
function inside<T>(fail: (detail: string) => VmFault, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof HostFault)) throw error
    throw fail(error.text.replace(/^Runtime error: /, ''))
  }
}

function isRefused(module: ContractModule | RefusedModule): module is RefusedModule {
  return 'refusal' in module
}

function checkInstanceGas(gas: number): void {
  if (gas >= MAX_INSTANCE_GAS) return
  throw loadFault(`Provided gas ${gas} is lower than the base instance creation gas cost ${MAX_INSTANCE_GAS}`)
}

function tooLong(bytecode: Uint8Array): string {
  return `bytecode length ${bytecode.length} exceeds max module length ${MAX_MODULE_BYTES}`
}

function loadFault(message: string): ExecutionFault {
  return new ExecutionFault(`Cache error: Load error: ${message}`)
}

function instanceFault(message: string): VmFault {
  return new VmFault('instance', `VM instance error: ${message}`)
}

const TYPE_NAMES: Readonly<Record<string, string>> = { i: 'I32', I: 'I64', f: 'F32', F: 'F64' }

function describeType(signature: string): string {
  if (!signature.includes('>')) return signature
  const [params, results] = nameTypes(signature)
  return `Function(FunctionType { params: ${params}, results: ${results} })`
}

function describeSignature(signature: Signature): string {
  return nameTypes(signature).join(' -> ')
}

function nameTypes(signature: Signature): string[] {
  return signature.split('>').map((types) => `[${[...types].map((type) => TYPE_NAMES[type]).join(', ')}]`)
}

/** Of an export that is asked for and is not there, or is something else. */
function describeMissing(name: string, kind: ExternalKind | undefined): string {
  return kind === undefined ? `Missing export ${name}` : 'Incompatible Export Type'
}
