import {
  ByteReader,
  type DatastoreEntry,
  formatHash,
  formatMas,
  fromU64,
  isArchiveError,
  type NativeAmountMessage,
  slotToProtobuf,
  toU64,
} from '../../../core/index.ts'
import {
  ExecuteReadOnlyCallRequest,
  ExecuteReadOnlyCallResponse,
  type ReadOnlyCallMessage,
} from '../../../telemetry/grpc/messages.ts'
import { internalError, invalidArgument } from '../../../telemetry/grpc/rpc-error.ts'
import { EVENT_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import type { ReadOnlyOutcome } from '../../engine/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { readAddress } from './event-answers.ts'
import { toEventMessage, toLedgerChanges } from './output-messages.ts'

const MAX_DATASTORE_ENTRIES = 128
const MAX_DATASTORE_KEY_BYTES = 255
const MAX_DATASTORE_VALUE_BYTES = 500_000
/** In the place of a caller that is not named; a node takes another one each time. */
const SOME_CALLER = 'AU12uPNLiw6YLh5icu9JjTJFrkjQqeeqAQZuax9A4Hy54AnGs1h2o'
const MAX_U64 = (1n << 64n) - 1n
const DECIMALS = 9

export function executeReadOnlyCall(request: Uint8Array, chain: DevnetChain): Uint8Array {
  const { call } = ExecuteReadOnlyCallRequest.read(request)
  if (!call) throw invalidArgument('no call provided')
  const caller = call.callerAddress ? readAddress(call.callerAddress.value) : SOME_CALLER
  const run = readTarget(call, chain, caller)
  const feeNanoMas = readAmount(call.fee)
  if (feeNanoMas !== undefined && feeNanoMas < chain.minimalFeeNanoMas) {
    throw invalidArgument(
      `fee is too low provided: ${formatMas(feeNanoMas)} , minimal_fees required: ${formatMas(chain.minimalFeeNanoMas)}`,
    )
  }
  const outcome = runChecked(() => run(feeNanoMas === undefined ? {} : { feeNanoMas }))
  if (!outcome.success) throw internalError(outcome.error ?? '')
  return ExecuteReadOnlyCallResponse.encode({
    output: {
      out: {
        slot: slotToProtobuf(outcome.executedAt),
        events: outcome.events.map((event) =>
          toEventMessage(event, { block: undefined, status: EVENT_STATUS.readOnly }),
        ),
        stateChanges: {
          ledgerChanges: toLedgerChanges(outcome.changes),
          executedOpsChanges: [],
          executedDenunciationsChanges: [],
          executionTrailHashChange: { set: { value: formatHash(outcome.executionTrailHash) } },
        },
      },
      usedGas: toU64(outcome.gasCost),
      callResult: outcome.returned,
    },
  })
}

type Fee = { readonly feeNanoMas?: bigint }

function readTarget(call: ReadOnlyCallMessage, chain: DevnetChain, caller: string): (fee: Fee) => ReadOnlyOutcome {
  const maxGas = fromU64(call.maxGas)
  const { bytecodeCall, functionCall } = call
  if (call.target === 'bytecodeCall' && bytecodeCall) {
    const datastore = readDatastore(bytecodeCall.operationDatastore)
    const { bytecode } = bytecodeCall
    return (fee) => chain.engine.executeReadOnlyBytecode({ address: caller, bytecode, datastore, maxGas, ...fee })
  }
  if (call.target === 'functionCall' && functionCall) {
    const target = readAddress(functionCall.targetAddress)
    const coinsNanoMas = readAmount(functionCall.coins)
    const { parameter, targetFunction: functionName } = functionCall
    const coins = coinsNanoMas === undefined ? {} : { coinsNanoMas }
    return (fee) =>
      chain.engine.executeReadOnlyCall({ caller, target, functionName, parameter, maxGas, ...coins, ...fee })
  }
  throw invalidArgument('no call target provided')
}

/** The engine refuses what no node would be asked: too long, too much. */
function runChecked(run: () => ReadOnlyOutcome): ReadOnlyOutcome {
  try {
    return run()
  } catch (error) {
    if (isArchiveError(error, 'DEVNET_ENGINE_REQUEST_INVALID')) throw invalidArgument(error.message)
    throw error
  }
}

/** nanoMAS of an amount with any number of decimals. */
function readAmount(amount: NativeAmountMessage | null): bigint | undefined {
  if (!amount) return undefined
  const mantissa = fromU64(amount.mantissa)
  const scale = amount.scale ?? 0
  const nanoMas =
    scale <= DECIMALS
      ? mantissa * 10n ** BigInt(DECIMALS - scale)
      : mantissa / 10n ** BigInt(Math.min(scale - DECIMALS, 40))
  if (nanoMas > MAX_U64) throw invalidArgument('invalid amount')
  return nanoMas
}

/** varint count, then byte of length and key, varint length and value. */
function readDatastore(bytes: Uint8Array): DatastoreEntry[] {
  if (bytes.length === 0) return []
  try {
    const reader = new ByteReader(bytes)
    return Array.from({ length: reader.varintNumber(MAX_DATASTORE_ENTRIES) }, () => {
      const key = reader.raw(reader.varintNumber(MAX_DATASTORE_KEY_BYTES))
      return { key, value: reader.sized(MAX_DATASTORE_VALUE_BYTES) }
    })
  } catch (cause) {
    throw invalidArgument(`Datastore deserializing error: ${cause instanceof Error ? cause.message : cause}`)
  }
}
