import { findNearestKey, type LoadedConfig } from '../../config/index.ts'
import {
  ArchiveError,
  decodeRegistryResult,
  decodeTyped,
  encodeRegistryCall,
  encodeRegistryViewArgs,
  encodeTypedArguments,
  findRegistryFunction,
  formatCoins,
  isArchiveError,
  parseAddress,
  parseArguments,
  REGISTRY_FUNCTION_NAMES,
  type RegistryNode,
  type RegistryViewName,
  toCamelCase,
  toHex,
} from '../../core/index.ts'
import { type ChainPort, type ContractCall, listExportedFunctions, readContract } from '../../storage-worker/index.ts'
import { openChain } from '../chain-access.ts'
import { confirmCall, tellProgress } from '../confirm-call.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { renderValue, summariseNode, toPlain } from '../render-value.ts'
import type { RegistryOptions } from './contract-show.ts'

export interface CallWords {
  /** `storage_registry` or an address. */
  readonly target: string
  readonly functionName: string
  readonly args: readonly string[]
}

export interface CallOptions extends RegistryOptions {
  /** nanoMAS */
  readonly coins?: bigint
  readonly readOnly?: boolean
  /** Type of what another contract returns. */
  readonly returns?: string
  readonly yes?: boolean
}

/** Calls that are made in steps, or by a deployment. */
const OWN_COMMANDS: ReadonlyMap<string, string> = new Map([
  ['constructor', 'contract deploy'],
  ['updateConfig', 'contract config'],
  ['upgrade', 'contract upgrade'],
])

/** A call as it will be made, and how to read its answer. */
interface PlannedCall {
  readonly call: ContractCall
  readonly args: readonly (readonly [string, string])[]
  /** A function that writes nothing. */
  readonly isView: boolean
  read(returned: Uint8Array): unknown
}

/** Calls a function: a view is read, any other signed and sent. */
export async function contractCall(
  context: Context,
  words: CallWords,
  options: CallOptions & { readonly signal: AbortSignal },
): Promise<number> {
  const loaded = context.load({ storage_registry_address: options.address })
  const planned = isRegistry(words.target, loaded)
    ? planRegistryCall(loaded.config.storageRegistryAddress, words, options)
    : await planOtherCall(context, loaded, words, options)
  if (planned.isView && (options.coins ?? 0n) > 0n) {
    throw invalid(`${planned.call.functionName} is a view: it takes no coins`)
  }
  return planned.isView || options.readOnly
    ? read(context, await openChain(context, loaded, false), planned)
    : send(context, await openChain(context, loaded, true), planned, options)
}

function isRegistry(target: string, { config }: LoadedConfig): boolean {
  if (target === config.storageRegistryAddress && target !== '') return true
  if (toCamelCase(target.replaceAll('-', '_')) !== 'storageRegistry') return false
  if (config.storageRegistryAddress === '')
    throw new ArchiveError('CLI_NO_REGISTRY', 'no storage-registry is configured')
  return true
}

/** Arguments by the published signature of the function. */
function planRegistryCall(target: string, words: CallWords, { coins, returns }: CallOptions): PlannedCall {
  if (returns !== undefined) throw invalid('--returns is for other contracts: what the registry returns is known')
  const known = findRegistryFunction(words.functionName)
  if (!known) throw unknownFunction(words.functionName, REGISTRY_FUNCTION_NAMES)
  const { name, kind } = known
  const own = OWN_COMMANDS.get(name)
  if (own) throw new ArchiveError('CONTRACT_FUNCTION_UNKNOWN', `${name} is called by 'massa-storage ${own}'`, { name })
  const values = parseArguments(known, words.args)
  // Checked against the fields of this very function.
  const parameter =
    kind === 'view' ? encodeRegistryViewArgs(name, values as never) : encodeRegistryCall(name, values as never)
  return {
    call: { kind: 'call', target, functionName: name, parameter, coinsNanoMas: coins ?? 0n },
    args: words.args.map((text, i) => [known.fields[i]?.name ?? '', text]),
    isView: kind === 'view',
    read: (returned) => (kind === 'view' ? decodeView(target, name, returned) : toHex(returned)),
  }
}

function decodeView(target: string, name: RegistryViewName, returned: Uint8Array): unknown {
  try {
    const value = decodeRegistryResult(name, returned)
    return value ?? 'none'
  } catch (cause) {
    if (!isArchiveError(cause, 'CORE_BYTES_INVALID')) throw cause
    throw new ArchiveError(
      'CHAIN_ANSWER_INVALID',
      `${target} did not answer ${name} as a registry does`,
      { name },
      cause,
    )
  }
}

/** Arguments with their types; the name as the bytecode exports it. */
async function planOtherCall(
  context: Context,
  loaded: LoadedConfig,
  words: CallWords,
  { coins, returns, readOnly }: CallOptions,
): Promise<PlannedCall> {
  const { target, args } = words
  if (!isContractAddress(target))
    throw invalid(`'${target.slice(0, 80)}' is neither storage_registry nor the address of a contract`)
  const parameter = encodeTypedArguments(args)
  if (returns !== undefined && !readOnly) throw invalid('--returns goes with --read-only: an operation returns nothing')
  if (returns !== undefined) checkType(returns)
  const chain = await openChain(context, loaded, false)
  const functions = listExportedFunctions(await readContract(chain, target), target)
  const functionName = [words.functionName, toCamelCase(words.functionName)].find((name) => functions.includes(name))
  if (functionName === undefined) throw unknownFunction(words.functionName, functions)
  return {
    call: { kind: 'call', target, functionName, parameter, coinsNanoMas: coins ?? 0n },
    args: args.map((text) => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]),
    isView: false,
    read: (returned) => (returns === undefined ? toHex(returned) : decodeReturned(returns, returned)),
  }
}

function isContractAddress(text: string): boolean {
  try {
    parseAddress(text)
    return text.startsWith('AS')
  } catch (error) {
    if (isArchiveError(error)) return false
    throw error
  }
}

/** @throws ArchiveError CONTRACT_ARGUMENT_INVALID before anything is asked of the chain */
function checkType(type: string): void {
  try {
    decodeTyped(type, new Uint8Array())
  } catch (error) {
    if (!isArchiveError(error, 'CORE_BYTES_INVALID')) throw error
  }
}

function decodeReturned(type: string, returned: Uint8Array): unknown {
  try {
    return decodeTyped(type, returned)
  } catch (cause) {
    if (!isArchiveError(cause, 'CORE_BYTES_INVALID')) throw cause
    const found = `${toHex(returned.subarray(0, 32))}${returned.length > 32 ? '...' : ''}`
    throw new ArchiveError(
      'CONTRACT_ARGUMENT_INVALID',
      `what it returned, ${returned.length} bytes ${found}, is no ${type}`,
      {},
      cause,
    )
  }
}

function unknownFunction(name: string, functions: readonly string[]): ArchiveError {
  const near = findNearestKey(toCamelCase(name), functions)
  const advice = near === undefined ? `its functions are ${functions.join(', ')}` : `did you mean ${near}?`
  return new ArchiveError(
    'CONTRACT_FUNCTION_UNKNOWN',
    `the contract has no function '${name.slice(0, 80)}'; ${advice}`,
    {
      name,
    },
  )
}

async function read(context: Context, chain: ChainPort, planned: PlannedCall): Promise<number> {
  const { output } = context
  const { call } = planned
  await chain.readStatus()
  const answer = await chain.callReadOnly(call)
  const value = planned.read(answer.returned)
  const { events } = answer
  output.value({
    contract: call.target,
    function: call.functionName,
    readOnly: true,
    result: toPlain(value),
    gasCost: answer.gasCost.toString(),
    events,
  })
  if (call.functionName === 'getNodeInfo' && planned.isView) {
    const node = value as RegistryNode
    output.line(summariseNode(node))
    if (!node.leaving && node.weightGb === 0n) {
      output.remark(`It has no weight, so it is not paid: 'massa-storage node info ${node.address}' says why.`)
    }
  }
  if (value !== '') renderValue(output, value)
  for (const event of events) output.line(`event ${event}`)
  if (!planned.isView) output.remark(`Only tried: nothing was sent. It took ${answer.gasCost} gas.`)
  return EXIT_CODES.ok.code
}

async function send(
  context: Context,
  chain: ChainPort,
  { call, args }: PlannedCall,
  options: CallOptions & { readonly signal: AbortSignal },
): Promise<number> {
  const { output } = context
  const { chainId } = await chain.readStatus()
  const quote = await chain.quote(call)
  await confirmCall(context, { call, args, quote, account: chain.account, chainId }, options)
  const { signal } = options
  const { operationId, feeNanoMas, events } = await chain.submit(call, quote, { signal, ...tellProgress(output) })
  output.value({
    contract: call.target,
    function: call.functionName,
    readOnly: false,
    operationId,
    feeNanoMas: feeNanoMas.toString(),
    events,
  })
  output.line(`Final: operation ${operationId}, fee ${formatCoins(feeNanoMas)} MAS.`)
  for (const event of events) output.line(`event ${event}`)
  return EXIT_CODES.ok.code
}

function invalid(message: string): ArchiveError {
  return new ArchiveError('CONTRACT_ARGUMENT_INVALID', message)
}
