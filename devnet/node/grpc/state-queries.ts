import {
  compareBytes,
  fromU64,
  parseAddress,
  type Slot,
  type SlotMessage,
  slotIndex,
  slotToProtobuf,
  THREAD_COUNT,
  toU64,
} from '../../../core/index.ts'
import {
  GetDatastoreEntriesRequest,
  GetDatastoreEntriesResponse,
  type KeysQueryMessage,
  QueryStateRequest,
  QueryStateResponse,
  type StateAnswerMessage,
  type StateQueries,
  type StateQueryMessage,
  toAmountMessage,
} from '../../../telemetry/grpc/messages.ts'
import { checkNamed, checkQueryCount } from '../../../telemetry/grpc/request-checks.ts'
import { internalError, invalidArgument } from '../../../telemetry/grpc/rpc-error.ts'
import { EXECUTION_QUERY_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import type { DeferredCredit, Ledger } from '../../engine/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { findDeferredCallIdFault } from '../deferred-call-id.ts'
import { findEvents, readAddress, readOperationId } from './event-answers.ts'
import { formatFingerprint } from './status-answers.ts'

const MAX_KEYS = 500
const MAX_KEY_BYTES = 255
const MAX_DATASTORE_ENTRIES = 128
/** What the node's own errors of a query are numbered with. */
const NOT_FOUND_CODE = 404

/** What was asked for does not exist: it spoils this answer and no other. */
class NotFound extends Error {}

export function queryState(request: Uint8Array, chain: DevnetChain): Uint8Array {
  const { queries } = QueryStateRequest.read(request)
  checkQueryCount(queries)
  const finders = queries.map(prepare)
  return QueryStateResponse.encode({
    finalCursor: slotToProtobuf(chain.finalSlot),
    candidateCursor: slotToProtobuf(chain.executedSlot),
    finalStateFingerprint: formatFingerprint(chain),
    responses: finders.map((find) => {
      try {
        return { result: find(chain) }
      } catch (error) {
        if (!(error instanceof NotFound)) throw error
        return { error: { code: NOT_FOUND_CODE, message: error.message } }
      }
    }),
  })
}

export function getDatastoreEntries(request: Uint8Array, chain: DevnetChain): Uint8Array {
  const { filters } = GetDatastoreEntriesRequest.read(request)
  if (filters.length === 0) throw invalidArgument('no filter provided')
  if (filters.length > MAX_DATASTORE_ENTRIES) {
    throw invalidArgument(
      `too many datastore entries received. Only a maximum of ${MAX_DATASTORE_ENTRIES} datastore entries are accepted per request`,
    )
  }
  const keys = filters.map(({ addressKey }) => {
    if (!addressKey) throw invalidArgument('no filter provided')
    checkNamed('address', addressKey.address)
    return addressKey
  })
  const read = (ledger: Ledger, { address, key }: { address: string; key: Uint8Array }) =>
    ledger.value(address, key) ?? new Uint8Array(0)
  return GetDatastoreEntriesResponse.encode({
    datastoreEntries: keys.map((key) => ({
      finalValue: read(chain.finalLedger, key),
      candidateValue: read(chain.engine.ledger, key),
    })),
  })
}

type Finder = (chain: DevnetChain) => StateAnswerMessage
type Kind = keyof StateQueries

/** Reads a query before any is answered: a bad one spoils all. @throws RpcError */
function prepare(query: StateQueryMessage): Finder {
  const kind = query.requestItem
  const item = kind && query[kind]
  if (kind === undefined || !item) throw modelsError('no filter provided')
  return (QUERIES[kind] as (item: StateQueries[Kind]) => Finder)(item)
}

const candidate = (chain: DevnetChain) => chain.engine.ledger
const final = (chain: DevnetChain) => chain.finalLedger
type State = typeof candidate

const QUERIES: { readonly [K in Kind]: (item: StateQueries[K]) => Finder } = {
  addressExistsCandidate: exists(candidate),
  addressExistsFinal: exists(final),
  addressBalanceCandidate: balance(candidate),
  addressBalanceFinal: balance(final),
  addressBytecodeCandidate: bytecode(candidate),
  addressBytecodeFinal: bytecode(final),
  addressDatastoreKeysCandidate: keys(candidate),
  addressDatastoreKeysFinal: keys(final),
  addressDatastoreValueCandidate: value(candidate),
  addressDatastoreValueFinal: value(final),
  opExecutionStatusCandidate: executionStatus(false),
  opExecutionStatusFinal: executionStatus(true),
  denunciationExecutionStatusCandidate: denunciationStatus(false),
  denunciationExecutionStatusFinal: denunciationStatus(true),
  addressRollsCandidate: ofAddress((chain, address) => ({ rollCount: toU64(chain.rollsOf(address).candidate) })),
  addressRollsFinal: ofAddress((chain, address) => ({ rollCount: toU64(chain.rollsOf(address).final) })),
  addressDeferredCreditsCandidate: ofAddress((chain, address) => toCredits(chain.deferredCreditsOf(address))),
  addressDeferredCreditsFinal: ofAddress((chain, address) => toCredits(chain.finalDeferredCreditsOf(address))),
  cycleInfos,
  events:
    ({ filters }) =>
    (chain) => ({ events: { events: findEvents(filters, chain) } }),
  deferredCallQuote,
  deferredCallInfo,
  deferredCallsBySlot: ({ slot }) => {
    const target = readSlot(slot, 'slot is required')
    return (chain) => {
      const calls = chain.engine.listDeferredCalls().filter((call) => slotIndex(call.slot) === slotIndex(target))
      return { deferredCallsBySlot: { slot: slotToProtobuf(target), callIds: calls.map(({ id }) => id) } }
    }
  },
}

function ofAddress(find: (chain: DevnetChain, address: string) => StateAnswerMessage) {
  return (item: { readonly address: string }): Finder => {
    const address = readAddress(item.address)
    return (chain) => find(chain, address)
  }
}

function exists(state: State) {
  return ofAddress((chain, address) => ({ boolean: state(chain).has(address) }))
}

function balance(state: State) {
  return ofAddress((chain, address) => ({ amount: toAmountMessage(open(state(chain), address).balance(address)) }))
}

function bytecode(state: State) {
  return ofAddress((chain, address) => ({ bytes: open(state(chain), address).bytecode(address) ?? new Uint8Array(0) }))
}

function value(state: State) {
  return (item: StateQueries['addressDatastoreValueFinal']): Finder => {
    const address = readAddress(item.address)
    return (chain) => {
      const bytes = state(chain).value(address, item.key)
      if (bytes === undefined) throw new NotFound(`Account ${address} datastore entry [${[...item.key].join(', ')}]`)
      return { bytes }
    }
  }
}

function keys(state: State) {
  return (item: KeysQueryMessage): Finder => {
    const address = readAddress(item.address)
    const limit = item.limit?.value
    if ((limit ?? 0) > MAX_KEYS) {
      throw modelsError(`max item count in datastore key query is ${MAX_KEYS} but ${limit} items were queried`)
    }
    const isWithin = readBounds(item)
    return (chain) => {
      const found = open(state(chain), address).keys(address, item.prefix).filter(isWithin)
      return { vecBytes: { items: found.slice(0, limit) } }
    }
  }
}

/** Keys are never longer than 255 bytes: what is asked for beyond that is cut, as the node cuts it. */
function readBounds(item: KeysQueryMessage): (key: Uint8Array) => boolean {
  if (item.prefix.length > MAX_KEY_BYTES) return () => false
  const start = item.startKey?.value
  const end = item.endKey?.value
  const isLong = (key: Uint8Array | undefined) => (key?.length ?? 0) > MAX_KEY_BYTES
  const startsWithIt = (item.inclusiveStartKey?.value ?? true) && !isLong(start)
  const endsWithIt = (item.inclusiveEndKey?.value ?? true) || isLong(end)
  const [low, high] = [start?.subarray(0, MAX_KEY_BYTES), end?.subarray(0, MAX_KEY_BYTES)]
  return (key) => {
    const fromLow = low === undefined ? 1 : compareBytes(key, low)
    const toHigh = high === undefined ? 1 : compareBytes(high, key)
    return (fromLow > 0 || (fromLow === 0 && startsWithIt)) && (toHigh > 0 || (toHigh === 0 && endsWithIt))
  }
}

function executionStatus(onlyFinal: boolean) {
  return (item: { readonly operationId: string }): Finder => {
    const id = readOperationId(item.operationId)
    return (chain) => {
      const execution = chain.findExecution(id)
      const { success, failure, unknown } = EXECUTION_QUERY_STATUS
      if (!execution || (onlyFinal && !execution.isFinal)) return { executionStatus: unknown }
      return { executionStatus: execution.success ? success : failure }
    }
  }
}

/** As far as blocks in memory tell: a node remembers as long as somebody could be denounced again. */
function denunciationStatus(onlyFinal: boolean) {
  return ({ denunciationIndex }: StateQueries['denunciationExecutionStatusFinal']): Finder => {
    const asked = denunciationIndex?.endorsement ?? denunciationIndex?.blockHeader
    if (!denunciationIndex || !asked) throw modelsError('no denounciation index found')
    const index = denunciationIndex.endorsement?.index
    const denounced = slotIndex(readSlot(asked.slot, 'no slot found'))
    return (chain) => {
      const upTo = slotIndex(onlyFinal ? chain.finalSlot : chain.executedSlot)
      const isExecuted = chain
        .listBlocks(0, upTo + 1)
        .filter(({ isRival }) => !isRival)
        .flatMap(({ header }) => header.denunciations)
        .some((made) => slotIndex(made.slot) === denounced && made.index === index)
      const { success, unknown } = EXECUTION_QUERY_STATUS
      return { executionStatus: isExecuted ? success : unknown }
    }
  }
}

function toCredits(credits: readonly DeferredCredit[]): StateAnswerMessage {
  const entries = credits.map(({ slot, amountNanoMas }) => ({
    slot: slotToProtobuf(slot),
    amount: toAmountMessage(amountNanoMas),
  }))
  return { deferredCredits: { entries } }
}

/** Of the addresses that are named, and no others: without any the list is empty. */
function cycleInfos(item: StateQueries['cycleInfos']): Finder {
  const wanted = fromU64(item.cycle)
  const addresses = [...new Set(item.restrictToAddresses.map(readAddress))]
  addresses.sort((a, b) => compareBytes(parseAddress(a), parseAddress(b)))
  return (chain) => {
    const infoOf = (address: string) => chain.cyclesOf(address).find(({ cycle }) => BigInt(cycle) === wanted)
    const cycle = infoOf(chain.producerOf(0))
    if (!cycle) throw new NotFound(`Cycle ${wanted}`)
    return {
      cycleInfos: {
        cycle: toU64(wanted),
        isFinal: cycle.isFinal,
        stakerInfos: addresses.map((address) => {
          const info = infoOf(address)
          const stats = {
            blockSuccessCount: toU64(BigInt(info?.okCount ?? 0)),
            blockFailureCount: toU64(BigInt(info?.nokCount ?? 0)),
          }
          return {
            address,
            info: { activeRolls: toU64(info?.activeRolls ?? 0n), productionStats: { address, stats } },
          }
        }),
      },
    }
  }
}

function deferredCallQuote(item: StateQueries['deferredCallQuote']): Finder {
  const target = readSlot(item.targetSlot, 'target slot is required')
  return (chain) => {
    const { gas, priceNanoMas } = chain.engine.quoteDeferredCall(target, fromU64(item.maxGas), fromU64(item.paramsSize))
    return {
      deferredCallQuote: {
        targetSlot: slotToProtobuf(target),
        maxGasRequest: toU64(gas),
        available: priceNanoMas !== undefined,
        price: toAmountMessage(priceNanoMas ?? 0n),
      },
    }
  }
}

function deferredCallInfo({ callId }: StateQueries['deferredCallInfo']): Finder {
  const fault = findDeferredCallIdFault(callId)
  if (fault !== undefined) throw internalError(fault)
  return (chain) => {
    const call = chain.engine.listDeferredCalls().find(({ id }) => id === callId)
    if (!call) throw new NotFound(`Deferred call id ${callId}`)
    return {
      deferredCallInfo: {
        callId,
        call: {
          senderAddress: call.sender,
          targetSlot: slotToProtobuf(call.slot),
          targetAddress: call.target,
          targetFunction: call.functionName,
          parameters: call.parameter,
          coins: toAmountMessage(call.coins),
          maxGas: toU64(call.maxGas),
          fee: toAmountMessage(call.feeNanoMas),
          cancelled: call.isCancelled,
        },
      },
    }
  }
}

function open(ledger: Ledger, address: string): Ledger {
  if (!ledger.has(address)) throw new NotFound(`Account ${address}`)
  return ledger
}

function readSlot(slot: SlotMessage | null, missing: string): Slot {
  if (!slot) throw modelsError(missing)
  return { period: Number(fromU64(slot.period)), thread: (slot.thread ?? 0) % THREAD_COUNT }
}

function modelsError(text: string) {
  return internalError(`Error raised ${text}`)
}
