import type { ErrorCode } from '../../../core/error-codes.ts'
import { formatMas } from '../../../core/massa/amount-text.ts'
import { checkAddress } from '../address-text.ts'
import type { ContractMemory } from '../contract-memory.ts'
import { MAX_CALL_DEPTH } from '../execution-context.ts'
import { asHostFault, bail, ExecutionFault, HostFault, VmFault } from '../faults.ts'
import type { Machine, Returned } from '../machine.ts'
import type { ContractModule } from '../module-cache.ts'
import { type HostFamily, host } from './host-table.ts'

/** Calls of other contracts, and their bytecode. */
export function makeCallFunctions(machine: Machine): HostFamily {
  return {
    call: host('iiiI>i', (address: number, name: number, parameter: number, coins: bigint) => {
      const { memory } = machine
      memory.charge(machine.gas.call)
      const target = memory.readString(address)
      const functionName = memory.readString(name)
      const bytes = memory.readBuffer(parameter)
      if (coins < 0n) throw bail('negative amount of coins in Call')
      const { returned } = callContract(machine, { target, functionName, parameter: bytes, coins })
      return writeResponse(memory, returned, `call ${target}::${functionName}`)
    }),
    local_call: host('iii>i', (address: number, name: number, parameter: number) => {
      const { memory } = machine
      memory.charge(machine.gas.local_call)
      const bytecode = readBytecode(machine, memory.readString(address))
      const invocation = { functionName: memory.readString(name), parameter: memory.readBuffer(parameter) }
      const module = loadModule(() => machine.loadModule(bytecode, gasOf(memory)))
      const { returned } = runNested(machine, module, invocation)
      return writeResponse(memory, returned, `local call of ${invocation.functionName}`)
    }),
    local_execution: host('iii>i', (code: number, name: number, parameter: number) => {
      const { memory } = machine
      memory.charge(machine.gas.local_execution)
      const bytecode = memory.readBuffer(code)
      const invocation = { functionName: memory.readString(name), parameter: memory.readBuffer(parameter) }
      const module = loadModule(() => machine.loadTemporaryModule(bytecode, gasOf(memory)))
      const { returned } = runNested(machine, module, invocation)
      return writeResponse(memory, returned, `local call of ${invocation.functionName}`)
    }),
    function_exists: host('ii>i', (address: number, name: number) => {
      const { memory } = machine
      memory.charge(machine.gas.function_exists)
      const target = memory.readString(address)
      const functionName = memory.readString(name)
      const bytecode = readBytecode(machine, target)
      const module = loadModule(() => machine.loadModule(bytecode, gasOf(memory)))
      return module.findFunction(functionName) === undefined ? 0 : 1
    }),
    create_sc: host('i>i', (code: number) => {
      const { memory, context } = machine
      memory.charge(machine.gas.create_sc)
      const bytecode = memory.readBuffer(code)
      return memory.writeString(explained("couldn't create new SC address", () => context.createContract(bytecode)))
    }),
    set_bytecode: host('i>', (code: number) => {
      const { memory, context } = machine
      memory.charge(machine.gas.set_bytecode)
      const bytecode = memory.readBuffer(code)
      const { address } = context.top
      explained(`couldn't set address ${address} bytecode`, () => context.setBytecode(address, bytecode))
    }),
    set_bytecode_for: host('ii>', (of: number, code: number) => {
      const { memory, context } = machine
      memory.charge(machine.gas.set_bytecode_for)
      const address = memory.readString(of)
      const bytecode = memory.readBuffer(code)
      checkAddress(address)
      explained(`couldn't set address ${address} bytecode`, () => context.setBytecode(address, bytecode))
    }),
    get_bytecode: host('>i', () => {
      const { memory, context } = machine
      memory.charge(machine.gas.get_bytecode)
      return memory.writeBuffer(readBytecode(machine, context.top.address))
    }),
    get_bytecode_for: host('i>i', (address: number) => {
      const { memory } = machine
      memory.charge(machine.gas.get_bytecode_for)
      return memory.writeBuffer(readBytecode(machine, memory.readString(address)))
    }),
    // The call fails, as by any other host function: a chain that holds such an operation goes on.
    send_message: host('iiIiIiIIIiii>', () => {
      machine.memory.charge(machine.gas.send_message)
      const code: ErrorCode = 'DEVNET_HOST_FUNCTION_MISSING'
      throw bail(`the engine has no asynchronous messages: massa.assembly_script_send_message (${code})`)
    }),
  }
}

const NOTHING = new Uint8Array()

interface Call {
  readonly target: string
  readonly functionName: string
  readonly parameter: Uint8Array
  readonly coins: bigint
}

/** The stack element stays when the callee fails: the event of the failure shows it. */
function callContract(machine: Machine, { target, functionName, parameter, coins }: Call): Returned {
  const { memory, context } = machine
  checkAddress(target)
  context.checkCallable(target)
  const bytecode = context.ledger.bytecode(target) ?? NOTHING
  const from = context.top.address
  explained(`error transferring ${formatMas(coins)} coins from ${from} to ${target}`, () =>
    context.moveCoins(from, target, coins),
  )
  context.stack.push({ address: target, coins, owned: [target] })
  const module = loadModule(
    () => machine.loadModule(bytecode, gasOf(memory)),
    `call to ${target}:${functionName} error: Interface generic error `,
  )
  const returned = runNested(machine, module, { functionName, parameter })
  context.stack.pop()
  return returned
}

function runNested(
  machine: Machine,
  module: ContractModule,
  invocation: { readonly functionName: string; readonly parameter: Uint8Array },
): Returned {
  const { memory, context } = machine
  context.callDepth++
  if (context.callDepth > MAX_CALL_DEPTH) throw new HostFault('recursion depth limit reached')
  let returned: Returned
  try {
    returned = machine.run(module, { ...invocation, gas: gasOf(memory) })
  } catch (error) {
    throw error instanceof VmFault ? error.toHostFault() : error
  }
  memory.gas.value = BigInt(returned.gasLeft)
  context.callDepth--
  return returned
}

/** Empty for the address of a user. */
function readBytecode(machine: Machine, address: string): Uint8Array {
  const { ledger } = machine.context
  if (!ledger.has(checkAddress(address))) throw bail('bytecode not found')
  return ledger.bytecode(address) ?? NOTHING
}

function gasOf(memory: ContractMemory): number {
  return Number(memory.gas.value)
}

/** A contract that cannot be loaded, told without the words "Cache error" a second time. */
function loadModule(load: () => ContractModule, title = ''): ContractModule {
  try {
    return load()
  } catch (error) {
    if (error instanceof ExecutionFault) throw bail(title + error.text.replace(/^Cache error: /, ''))
    throw error
  }
}

function explained<T>(title: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ExecutionFault) throw bail(`${title}: ${error.text}`)
    throw error
  }
}

function writeResponse(memory: ContractMemory, bytes: Uint8Array, what: string): number {
  try {
    return memory.writeBuffer(bytes)
  } catch (error) {
    if (asHostFault(error)) throw bail(`Cannot allocate response in ${what}`)
    throw error
  }
}
