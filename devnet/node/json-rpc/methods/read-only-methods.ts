import { ByteReader, type DatastoreEntry, formatMas } from '../../../../core/index.ts'
import {
  address,
  amount,
  bytes,
  checkCount,
  JsonRpcError,
  ListAnswer,
  listMethod,
  optional,
  string,
  struct,
  u64,
} from '../../../../telemetry/json-rpc/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import { readOnlyToJson, refusedReadOnlyToJson } from '../forms/read-only-form.ts'
import type { NodeMethod } from '../rpc-context.ts'

/** In the place of a caller that is not named: a node makes up a new one each time. */
const SOME_CALLER = 'AU12uPNLiw6YLh5icu9JjTJFrkjQqeeqAQZuax9A4Hy54AnGs1h2o'
const MAX_DATASTORE_ENTRIES = 128
const MAX_KEY_BYTES = 255
const MAX_VALUE_BYTES = 500_000

const readOnlyCall = struct('ReadOnlyCall', {
  max_gas: u64,
  target_address: address,
  target_function: string,
  parameter: bytes,
  caller_address: optional(address),
  coins: optional(amount),
  fee: optional(amount),
})
const readOnlyBytecode = struct('ReadOnlyBytecodeExecution', {
  max_gas: u64,
  bytecode: bytes,
  address: optional(address),
  operation_datastore: optional(bytes),
  fee: optional(amount),
})

export const READ_ONLY_METHODS: readonly NodeMethod[] = [
  listMethod('execute_read_only_call', ['arg', readOnlyCall], ({ chain }, calls) => {
    checkCount(calls)
    const execute = (call: ReturnType<typeof readOnlyCall>) => {
      const outcome = () =>
        chain.engine.executeReadOnlyCall({
          caller: call.caller_address ?? SOME_CALLER,
          target: call.target_address,
          functionName: call.target_function,
          parameter: call.parameter,
          maxGas: call.max_gas,
          ...(call.coins === undefined ? {} : { coinsNanoMas: call.coins }),
          ...(call.fee === undefined ? {} : { feeNanoMas: call.fee }),
        })
      return describeFeeFault(chain, call.fee) ?? readOnlyToJson(outcome())
    }
    // Each may use all the gas of a block.
    return new ListAnswer(calls, execute, 1)
  }),
  listMethod('execute_read_only_bytecode', ['arg', readOnlyBytecode], ({ chain }, requests) => {
    checkCount(requests)
    const execute = (request: ReturnType<typeof readOnlyBytecode>) => {
      const { operation_datastore: datastore } = request
      const entries = datastore === undefined ? [] : parseDatastore(datastore)
      const outcome = () =>
        chain.engine.executeReadOnlyBytecode({
          address: request.address ?? SOME_CALLER,
          bytecode: request.bytecode,
          datastore: entries,
          maxGas: request.max_gas,
          ...(request.fee === undefined ? {} : { feeNanoMas: request.fee }),
        })
      return describeFeeFault(chain, request.fee) ?? readOnlyToJson(outcome())
    }
    // Each may use all the gas of a block.
    return new ListAnswer(requests, execute, 1)
  }),
]

function describeFeeFault(chain: DevnetChain, feeNanoMas: bigint | undefined): unknown {
  if (feeNanoMas === undefined || feeNanoMas >= chain.minimalFeeNanoMas) return undefined
  const least = formatMas(chain.minimalFeeNanoMas)
  return refusedReadOnlyToJson(`fee is too low provided: ${formatMas(feeNanoMas)} , minimal_fees required: ${least}`)
}

/** varint count, then varint length and bytes of each key and value. */
function parseDatastore(bytes: Uint8Array): DatastoreEntry[] {
  try {
    const reader = new ByteReader(bytes)
    return Array.from({ length: reader.varintNumber(MAX_DATASTORE_ENTRIES) }, () => {
      const key = reader.sized(MAX_KEY_BYTES)
      return { key, value: reader.sized(MAX_VALUE_BYTES) }
    })
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new JsonRpcError(-32016, `Inconsistency error: Operation datastore error: ${words}`)
  }
}
