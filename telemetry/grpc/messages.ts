import protobuf from 'protobufjs'
import {
  createMessageCodec,
  type MessageCodec,
  type NativeAmountMessage,
  type SlotMessage,
  toU64,
  type U64Message,
} from '../../core/index.ts'
import { PUBLIC_API_SCHEMA } from './message-schema.ts'
import { findProtobufFault } from './protobuf-check.ts'
import { internalError } from './rpc-error.ts'

const root = parseSchema()

/** Reads one kind of request as a node does. */
export interface RequestReader<T> {
  /** @throws RpcError in the node's words for bytes that are not of that kind */
  read(bytes: Uint8Array): T
}

/** `filter` and its like name the member of a oneof that is set. */
export type SlotRangeMessage = { readonly startSlot?: SlotMessage | null; readonly endSlot?: SlotMessage | null }
type IdsFilter = {
  readonly blockIds?: { readonly blockIds: string[] }
  readonly operationIds?: { readonly operationIds: string[] }
  readonly endorsementIds?: { readonly endorsementIds: string[] }
  readonly addresses?: { readonly addresses: string[] }
}
export type BlocksFilter = IdsFilter & {
  readonly filter?: 'blockIds' | 'addresses' | 'slotRange'
  readonly slotRange?: SlotRangeMessage
}
export type OperationsFilter = IdsFilter & {
  readonly filter?: 'operationIds' | 'addresses' | 'operationTypes'
  readonly operationTypes?: { readonly opTypes: number[] }
}
export type EndorsementsFilter = IdsFilter & { readonly filter?: 'endorsementIds' | 'addresses' | 'blockIds' }
export type DrawsFilter = IdsFilter & {
  readonly filter?: 'addresses' | 'slotRange'
  readonly slotRange?: SlotRangeMessage
}
export type StakersFilter = {
  readonly filter?: 'minRolls' | 'maxRolls' | 'limit'
  readonly minRolls: U64Message
  readonly maxRolls: U64Message
  readonly limit: U64Message
}
export type EventsFilter = {
  readonly filter?: 'slotRange' | 'callerAddress' | 'emitterAddress' | 'originalOperationId' | 'isFailure' | 'status'
  readonly slotRange?: SlotRangeMessage
  readonly callerAddress: string
  readonly emitterAddress: string
  readonly originalOperationId: string
  readonly isFailure: boolean
  readonly status: number
}
/** What is kept of one part of a slot's output. */
export type PartFilter = {
  readonly filter?:
    | 'none'
    | 'callerAddress'
    | 'emitterAddress'
    | 'originalOperationId'
    | 'isFailure'
    | 'operationId'
    | 'address'
  readonly callerAddress: string
  readonly emitterAddress: string
  readonly originalOperationId: string
  readonly isFailure: boolean
  readonly operationId: string
  readonly address: string
}
export type OutputsFilter = {
  readonly filter?:
    | 'status'
    | 'slotRange'
    | 'asyncPoolChangesFilter'
    | 'executedDenounciationFilter'
    | 'eventFilter'
    | 'executedOpsChangesFilter'
    | 'ledgerChangesFilter'
  readonly status: number
  readonly slotRange?: SlotRangeMessage
  readonly asyncPoolChangesFilter?: { readonly filter?: string }
  readonly executedDenounciationFilter?: { readonly filter?: string }
  readonly eventFilter?: PartFilter
  readonly executedOpsChangesFilter?: PartFilter
  readonly ledgerChangesFilter?: PartFilter
}
type Filtered<T> = { readonly filters: readonly T[] }

export type KeysQueryMessage = {
  readonly address: string
  readonly prefix: Uint8Array
  readonly startKey: { readonly value: Uint8Array } | null
  readonly inclusiveStartKey: { readonly value: boolean } | null
  readonly endKey: { readonly value: Uint8Array } | null
  readonly inclusiveEndKey: { readonly value: boolean } | null
  readonly limit: { readonly value: number } | null
}
type OfAddress = { readonly address: string }
type ValueQuery = { readonly address: string; readonly key: Uint8Array }
type OfOperation = { readonly operationId: string }
/** Of a header, or of an endorsement by its index. */
export type DenunciationIndexMessage = {
  readonly blockHeader?: { readonly slot: SlotMessage | null }
  readonly endorsement?: { readonly slot: SlotMessage | null; readonly index: number }
}
type OfDenunciation = { readonly denunciationIndex: DenunciationIndexMessage | null }
/** By name of the item. */
export interface StateQueries {
  readonly addressExistsCandidate: OfAddress
  readonly addressExistsFinal: OfAddress
  readonly addressBalanceCandidate: OfAddress
  readonly addressBalanceFinal: OfAddress
  readonly addressBytecodeCandidate: OfAddress
  readonly addressBytecodeFinal: OfAddress
  readonly addressDatastoreKeysCandidate: KeysQueryMessage
  readonly addressDatastoreKeysFinal: KeysQueryMessage
  readonly addressDatastoreValueCandidate: ValueQuery
  readonly addressDatastoreValueFinal: ValueQuery
  readonly opExecutionStatusCandidate: OfOperation
  readonly opExecutionStatusFinal: OfOperation
  readonly denunciationExecutionStatusCandidate: OfDenunciation
  readonly denunciationExecutionStatusFinal: OfDenunciation
  readonly addressRollsCandidate: OfAddress
  readonly addressRollsFinal: OfAddress
  readonly addressDeferredCreditsCandidate: OfAddress
  readonly addressDeferredCreditsFinal: OfAddress
  readonly cycleInfos: { readonly cycle: U64Message; readonly restrictToAddresses: string[] }
  readonly events: Filtered<EventsFilter>
  readonly deferredCallQuote: {
    readonly targetSlot: SlotMessage | null
    readonly maxGas: U64Message
    readonly paramsSize: U64Message
  }
  readonly deferredCallInfo: { readonly callId: string }
  readonly deferredCallsBySlot: { readonly slot: SlotMessage | null }
}
export type StateQueryMessage = { readonly requestItem?: keyof StateQueries } & Partial<StateQueries>

export type ReadOnlyCallMessage = {
  readonly maxGas: U64Message
  readonly target?: 'bytecodeCall' | 'functionCall'
  readonly bytecodeCall?: { readonly bytecode: Uint8Array; readonly operationDatastore: Uint8Array }
  readonly functionCall?: {
    readonly targetAddress: string
    readonly targetFunction: string
    readonly parameter: Uint8Array
    readonly coins: NativeAmountMessage | null
  }
  readonly callerAddress: { readonly value: string } | null
  readonly fee: NativeAmountMessage | null
}

export const SearchBlocksRequest = reader<Filtered<BlocksFilter>>('SearchBlocksRequest')
export const GetBlocksRequest = reader<{ readonly blockIds: string[] }>('GetBlocksRequest')
export const GetOperationsRequest = reader<{ readonly operationIds: string[] }>('GetOperationsRequest')
export const SearchOperationsRequest = reader<Filtered<OperationsFilter>>('SearchOperationsRequest')
export const GetEndorsementsRequest = reader<{ readonly endorsementIds: string[] }>('GetEndorsementsRequest')
export const SearchEndorsementsRequest = reader<Filtered<EndorsementsFilter>>('SearchEndorsementsRequest')
export const GetDatastoreEntriesRequest =
  reader<Filtered<{ readonly filter?: 'addressKey'; readonly addressKey?: ValueQuery }>>('GetDatastoreEntriesRequest')
export const GetSelectorDrawsRequest = reader<Filtered<DrawsFilter>>('GetSelectorDrawsRequest')
export const GetStakersRequest = reader<Filtered<StakersFilter>>('GetStakersRequest')
export const GetScExecutionEventsRequest = reader<Filtered<EventsFilter>>('GetScExecutionEventsRequest')
export const QueryStateRequest = reader<{ readonly queries: readonly StateQueryMessage[] }>('QueryStateRequest')
export const ExecuteReadOnlyCallRequest = reader<{ readonly call: ReadOnlyCallMessage | null }>(
  'ExecuteReadOnlyCallRequest',
)
export const SendOperationsRequest = reader<{ readonly operations: Uint8Array[] }>('SendOperationsRequest')
export const ThroughputRequest = reader<{ readonly interval: { readonly value: U64Message } | null }>(
  'TransactionsThroughputRequest',
)
export const NewBlocksRequest = reader<Filtered<BlocksFilter>>('NewBlocksRequest')
export const NewOperationsRequest = reader<Filtered<OperationsFilter>>('NewOperationsRequest')
export const NewEndorsementsRequest = reader<Filtered<EndorsementsFilter>>('NewEndorsementsRequest')
export const NewOutputsRequest = reader<Filtered<OutputsFilter>>('NewSlotExecutionOutputsRequest')
/** Of calls that are refused all the same, when their requests are whole. */
export const OPTIONAL_REQUESTS = {
  GetOperationABICallStacks: reader<object>('GetOperationABICallStacksRequest'),
  GetSlotABICallStacks: reader<object>('GetSlotABICallStacksRequest'),
  GetSlotTransfers: reader<object>('GetSlotTransfersRequest'),
} as const
/** Of a request without fields that matter. */
export const EmptyRequest = reader<object>('Empty')

type AmountMessage = { readonly mantissa: U64Message; readonly scale: number }
type TextMessage = { readonly value: string }
type TimeMessage = { readonly milliseconds: U64Message }
type Keep = { readonly keep: object }

export type EventMessage = {
  readonly context: {
    readonly originSlot: SlotMessage
    readonly blockId?: TextMessage
    readonly indexInSlot: U64Message
    readonly callStack: readonly string[]
    readonly originOperationId?: TextMessage
    readonly isFailure: boolean
    readonly status: number
  }
  readonly data: Uint8Array
}
export type LedgerChangeMessage = {
  readonly address: string
  readonly value: {
    readonly type: number
    readonly createdEntry?: {
      readonly balance: AmountMessage
      readonly bytecode: Uint8Array
      readonly datastore: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]
    }
    readonly updatedEntry?: {
      readonly balance: { readonly set: AmountMessage } | Keep
      readonly bytecode: { readonly set: { readonly value: Uint8Array } } | Keep
      readonly datastore: readonly (
        | { readonly set: { readonly key: Uint8Array; readonly value: Uint8Array } }
        | { readonly delete: object }
      )[]
    }
  }
}
export type OutputMessage = {
  readonly slot: SlotMessage
  readonly blockId?: TextMessage
  readonly events: readonly EventMessage[]
  readonly stateChanges: {
    readonly ledgerChanges: readonly LedgerChangeMessage[]
    readonly executedOpsChanges: readonly {
      readonly operationId: string
      readonly value: { readonly status: number; readonly slot: SlotMessage }
    }[]
    readonly executedDenunciationsChanges: readonly DenunciationIndexMessage[]
    readonly executionTrailHashChange?: { readonly set: TextMessage } | Keep
  }
}
/** Of a slot whose execution is not known: a node knows it of all. */
export type BareOutputMessage = Pick<OutputMessage, 'slot' | 'blockId'>
export type SignedBlockMessage = {
  readonly content: { readonly header: Uint8Array; readonly operations: readonly string[] }
  readonly signature: string
  readonly contentCreatorPubKey: string
  readonly contentCreatorAddress: string
  readonly secureHash: string
  readonly serializedSize: U64Message
}
/** One of them is set. */
export type StateAnswerMessage = {
  readonly boolean?: boolean
  readonly rollCount?: U64Message
  readonly amount?: AmountMessage
  readonly bytes?: Uint8Array
  readonly vecBytes?: { readonly items: readonly Uint8Array[] }
  readonly deferredCredits?: {
    readonly entries: readonly { readonly slot: SlotMessage; readonly amount: AmountMessage }[]
  }
  readonly executionStatus?: number
  readonly cycleInfos?: {
    readonly cycle: U64Message
    readonly isFinal: boolean
    readonly stakerInfos: readonly {
      readonly address: string
      readonly info: {
        readonly activeRolls: U64Message
        readonly productionStats: {
          readonly address: string
          readonly stats: { readonly blockSuccessCount: U64Message; readonly blockFailureCount: U64Message }
        }
      }
    }[]
  }
  readonly events?: { readonly events: readonly EventMessage[] }
  readonly deferredCallQuote?: {
    readonly targetSlot: SlotMessage
    readonly maxGasRequest: U64Message
    readonly available: boolean
    readonly price: AmountMessage
  }
  readonly deferredCallInfo?: {
    readonly callId: string
    readonly call: {
      readonly senderAddress: string
      readonly targetSlot: SlotMessage
      readonly targetAddress: string
      readonly targetFunction: string
      readonly parameters: Uint8Array
      readonly coins: AmountMessage
      readonly maxGas: U64Message
      readonly fee: AmountMessage
      readonly cancelled: boolean
    }
  }
  readonly deferredCallsBySlot?: { readonly slot: SlotMessage; readonly callIds: readonly string[] }
}
type ErrorMessage = { readonly code: number; readonly message: string }

export const GetStatusResponse = codec<{
  readonly status: {
    readonly nodeId: string
    readonly version: string
    readonly currentTime: TimeMessage
    readonly currentCycle: U64Message
    readonly currentCycleTime: TimeMessage
    readonly nextCycleTime: TimeMessage
    readonly lastExecutedFinalSlot: SlotMessage
    readonly lastExecutedSpeculativeSlot: SlotMessage
    readonly finalStateFingerprint: string
    readonly config: {
      readonly genesisTimestamp: TimeMessage
      readonly threadCount: number
      readonly t0: TimeMessage
      readonly deltaF0: U64Message
      readonly operationValidityPeriods: U64Message
      readonly periodsPerCycle: U64Message
      readonly blockReward: AmountMessage
      readonly rollPrice: AmountMessage
      readonly maxBlockSize: number
    }
    readonly chainId: U64Message
    readonly minimalFees: AmountMessage
    readonly currentMipVersion: number
  }
}>('GetStatusResponse')
export const SearchBlocksResponse = codec<{
  readonly blockInfos: readonly { readonly blockId: string; readonly status: number }[]
}>('SearchBlocksResponse')
export const GetBlocksResponse = codec<{
  readonly wrappedBlocks: readonly {
    readonly status: number
    readonly block: { readonly header: Uint8Array; readonly operations: readonly string[] }
  }[]
}>('GetBlocksResponse')
export const GetOperationsResponse = codec<{
  readonly wrappedOperations: readonly {
    readonly blockIds: readonly string[]
    readonly thread: number
    readonly operation: Uint8Array
  }[]
}>('GetOperationsResponse')
export const SearchOperationsResponse = codec<{
  readonly operationInfos: readonly {
    readonly id: string
    readonly blockIds: readonly string[]
    readonly thread: number
  }[]
}>('SearchOperationsResponse')
type EndorsementPlace = { readonly inPool: boolean; readonly inBlocks: readonly string[]; readonly isFinal: boolean }
export const GetEndorsementsResponse = codec<{
  readonly wrappedEndorsements: readonly (EndorsementPlace & { readonly endorsement: Uint8Array })[]
}>('GetEndorsementsResponse')
export const SearchEndorsementsResponse = codec<{
  readonly endorsementInfos: readonly (EndorsementPlace & { readonly endorsementId: string })[]
}>('SearchEndorsementsResponse')
export const GetDatastoreEntriesResponse = codec<{
  readonly datastoreEntries: readonly { readonly finalValue: Uint8Array; readonly candidateValue: Uint8Array }[]
}>('GetDatastoreEntriesResponse')
export const GetNextBlockBestParentsResponse = codec<{
  readonly blockParents: readonly { readonly blockId: string; readonly period: U64Message }[]
}>('GetNextBlockBestParentsResponse')
export const GetSelectorDrawsResponse = codec<{
  readonly draws: readonly {
    readonly slot: SlotMessage
    readonly blockProducer: TextMessage
    readonly endorsementDraws: readonly { readonly index: U64Message; readonly producer: string }[]
  }[]
}>('GetSelectorDrawsResponse')
export const GetStakersResponse = codec<{
  readonly stakers: readonly { readonly address: string; readonly rolls: U64Message }[]
}>('GetStakersResponse')
/** Of the unary call and of both streams. */
export const ThroughputResponse = codec<{ readonly throughput: number }>('GetTransactionsThroughputResponse')
export const GetScExecutionEventsResponse = codec<{ readonly events: readonly EventMessage[] }>(
  'GetScExecutionEventsResponse',
)
export const QueryStateResponse = codec<{
  readonly finalCursor: SlotMessage
  readonly candidateCursor: SlotMessage
  readonly finalStateFingerprint: string
  readonly responses: readonly ({ readonly result: StateAnswerMessage } | { readonly error: ErrorMessage })[]
}>('QueryStateResponse')
export const ExecuteReadOnlyCallResponse = codec<{
  readonly output: { readonly out: OutputMessage; readonly usedGas: U64Message; readonly callResult: Uint8Array }
}>('ExecuteReadOnlyCallResponse')
export const SendOperationsResponse = codec<
  { readonly operationIds: { readonly operationIds: readonly string[] } } | { readonly error: ErrorMessage }
>('SendOperationsResponse')
export const SignedBlockMessageCodec = codec<SignedBlockMessage>('SignedBlock')
export const SlotExecutionOutputCodec = codec<{
  readonly status: number
  readonly executionOutput: OutputMessage | BareOutputMessage
}>('SlotExecutionOutput')

/** The node sends amounts with nine decimals. */
export function toAmountMessage(nanoMas: bigint): AmountMessage {
  return { mantissa: toU64(nanoMas), scale: 9 }
}

function codec<T extends object>(name: string): MessageCodec<T> {
  return createMessageCodec<T>(root.lookupType(name))
}

function reader<T extends object>(name: string): RequestReader<T> {
  const type = root.lookupType(name)
  const { decode } = createMessageCodec<T>(type)
  return {
    read: (bytes) => {
      const fault = findProtobufFault(type, bytes)
      if (fault !== undefined) throw internalError(`failed to decode Protobuf message: ${fault}`)
      return decode(bytes)
    },
  }
}

/** Where bytes are absent, protobufjs has a list in their place: here they are bytes too. */
function parseSchema(): protobuf.Root {
  const { root } = protobuf.parse(PUBLIC_API_SCHEMA, { keepCase: false })
  const nothing = new Uint8Array(0)
  for (const type of root.nestedArray) {
    if (!(type instanceof protobuf.Type)) continue
    const defaults: Record<string, unknown> = type.ctor.prototype
    for (const field of type.fieldsArray) {
      if (field.type === 'bytes' && !field.repeated) defaults[field.name] = nothing
    }
  }
  return root
}
