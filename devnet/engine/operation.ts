import { ArchiveError } from '../../core/errors.ts'
import { formatAddress, formatOperationId } from '../../core/massa/atoms.ts'
import type { DatastoreEntry, Operation } from '../../core/massa/operation.ts'
import type { Slot } from '../../core/units.ts'
import { isAddress } from './address-text.ts'
import type { ContractEvent } from './execution-context.ts'
import type { StateChanges } from './ledger.ts'

const MAX_U64 = (1n << 64n) - 1n
const MAX_FUNCTION_NAME_BYTES = 255
const MAX_PARAMETER_BYTES = 10_000_000
const MAX_BYTECODE_BYTES = 10_000_000
const MAX_DATASTORE_ENTRIES = 128
const MAX_DATASTORE_KEY_BYTES = 255
const MAX_DATASTORE_VALUE_BYTES = 500_000

export interface TransactionBody {
  readonly kind: 'transaction'
  readonly recipient: string
  readonly amountNanoMas: bigint
}

export interface CallBody {
  readonly kind: 'call-sc'
  readonly target: string
  readonly functionName: string
  readonly parameter: Uint8Array
  readonly coinsNanoMas: bigint
  readonly maxGas: bigint
}

export interface ExecuteBody {
  readonly kind: 'execute-sc'
  readonly bytecode: Uint8Array
  readonly datastore: readonly DatastoreEntry[]
  readonly maxGas: bigint
  /** Its sender may not lose more than this and the fee. */
  readonly maxCoinsNanoMas: bigint
}

export interface RollBody {
  readonly kind: 'roll-buy' | 'roll-sell'
  readonly rollCount: bigint
}

/** An operation as the engine executes it; addresses are texts, amounts nanoMAS. */
export interface EngineOperation {
  readonly sender: string
  readonly feeNanoMas: bigint
  /** Text of its id; by default one that no other operation of this engine has. */
  readonly id?: string
  readonly body: TransactionBody | CallBody | ExecuteBody | RollBody
}

export interface OperationOutcome {
  /** False when a block could not hold it: nothing happened, not even the fee. */
  readonly included: boolean
  /** False when all but the fee was taken back. */
  readonly success: boolean
  /** As a node says it. */
  readonly error?: string
  /** What the called function returned; a node throws it away. */
  readonly returned: Uint8Array
  readonly events: readonly ContractEvent[]
  /** Exact, also of a failure. */
  readonly gasUsed: bigint
  readonly changes: StateChanges
}

export interface ReadOnlyCall {
  readonly caller: string
  readonly target: string
  readonly functionName: string
  readonly parameter: Uint8Array
  readonly maxGas: bigint
  readonly coinsNanoMas?: bigint
  readonly feeNanoMas?: bigint
  /** In place of the one that follows from the engine's slots: to repeat a recorded call. 32 bytes. */
  readonly executionTrailHash?: Uint8Array
}

export interface ReadOnlyBytecode {
  readonly address: string
  readonly bytecode: Uint8Array
  readonly datastore?: readonly DatastoreEntry[]
  readonly maxGas: bigint
  readonly feeNanoMas?: bigint
}

export interface ReadOnlyOutcome {
  readonly success: boolean
  /** As a node says it, without the words "readonly call failed: ". */
  readonly error?: string
  readonly returned: Uint8Array
  readonly events: readonly ContractEvent[]
  /** As a node reports it: never less than an operation must offer. 0n for a failure. */
  readonly gasCost: bigint
  /** Exact, also of a failure. */
  readonly gasUsed: bigint
  /** The slot after the current one. */
  readonly executedAt: Slot
  readonly executionTrailHash: Uint8Array
  readonly changes: StateChanges
}

/**
 * A parsed operation in the engine's form.
 *
 * @param id - 33 bytes
 */
export function toEngineOperation(sender: Uint8Array, operation: Operation, id: Uint8Array): EngineOperation {
  const { body, feeNanoMas } = operation
  const common = { sender: formatAddress(sender), feeNanoMas, id: formatOperationId(id) }
  switch (body.kind) {
    case 'transaction': {
      const { kind, amountNanoMas } = body
      return { ...common, body: { kind, recipient: formatAddress(body.recipient), amountNanoMas } }
    }
    case 'call-sc':
      return { ...common, body: { ...body, target: formatAddress(body.target) } }
    case 'execute-sc':
    case 'roll-buy':
    case 'roll-sell':
      return { ...common, body }
  }
}

/** Throws ArchiveError DEVNET_ENGINE_REQUEST_INVALID for an operation that no bytes could express. */
export function checkOperation({ sender, feeNanoMas, body }: EngineOperation): void {
  checkAddressText('sender', sender)
  checkAmount('fee', feeNanoMas)
  switch (body.kind) {
    case 'transaction':
      checkAddressText('recipient', body.recipient)
      checkAmount('amount', body.amountNanoMas)
      break
    case 'call-sc':
      // A read-only call may name a longer one.
      checkSize('function name', Buffer.byteLength(body.functionName), MAX_FUNCTION_NAME_BYTES)
      checkCall(body)
      checkAmount('coins', body.coinsNanoMas)
      break
    case 'execute-sc':
      checkExecution(body)
      checkAmount('maximum of coins', body.maxCoinsNanoMas)
      break
    case 'roll-buy':
    case 'roll-sell':
      checkAmount('roll count', body.rollCount)
      break
  }
}

export function checkReadOnlyCall(call: ReadOnlyCall): void {
  checkAddressText('caller', call.caller)
  checkCall(call)
  checkAmount('coins', call.coinsNanoMas ?? 0n)
  checkAmount('fee', call.feeNanoMas ?? 0n)
}

export function checkReadOnlyBytecode(request: ReadOnlyBytecode): void {
  checkAddressText('address', request.address)
  checkExecution({ ...request, datastore: request.datastore ?? [] })
  checkAmount('fee', request.feeNanoMas ?? 0n)
}

export function invalid(message: string): ArchiveError {
  return new ArchiveError('DEVNET_ENGINE_REQUEST_INVALID', message)
}

function checkCall(call: Pick<CallBody, 'target' | 'parameter' | 'maxGas'>): void {
  checkAddressText('target', call.target)
  checkSize('parameter', call.parameter.length, MAX_PARAMETER_BYTES)
  checkAmount('maximum of gas', call.maxGas)
}

function checkExecution(body: Pick<ExecuteBody, 'bytecode' | 'datastore' | 'maxGas'>): void {
  checkSize('bytecode', body.bytecode.length, MAX_BYTECODE_BYTES)
  if (body.datastore.length > MAX_DATASTORE_ENTRIES) throw invalid(`${body.datastore.length} datastore entries`)
  for (const { key, value } of body.datastore) {
    checkSize('datastore key', key.length, MAX_DATASTORE_KEY_BYTES)
    checkSize('datastore value', value.length, MAX_DATASTORE_VALUE_BYTES)
  }
  checkAmount('maximum of gas', body.maxGas)
}

function checkAddressText(what: string, text: string): void {
  if (!isAddress(text)) throw invalid(`${what} '${text.slice(0, 80)}' is no address`)
}

function checkAmount(what: string, amount: bigint): void {
  if (amount < 0n || amount > MAX_U64) throw invalid(`${what} ${amount} is not a u64`)
}

function checkSize(what: string, sizeBytes: number, limitBytes: number): void {
  if (sizeBytes > limitBytes) throw invalid(`${what} of ${sizeBytes} bytes, at most ${limitBytes} are allowed`)
}
