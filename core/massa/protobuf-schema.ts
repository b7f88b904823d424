import protobuf from 'protobufjs'

/*
 * The part of a massa-node's public gRPC messages that this project reads and writes, by field number
 * (facts: proto-fields). Where a whole sub-message is only passed on, it is declared `bytes`: length-delimited fields
 * look the same on the wire, and so a block reaches the verifier untouched.
 */
const SCHEMA = `
syntax = "proto3";

message NativeAmount { uint64 mantissa = 1; uint32 scale = 2; }
message NativeTime { uint64 milliseconds = 1; }
message StringValue { string value = 1; }
message UInt32Value { uint32 value = 1; }
message Slot { uint64 period = 1; uint32 thread = 2; }
message SlotRange { Slot start_slot = 1; Slot end_slot = 2; }

message Endorsement { Slot slot = 1; uint32 index = 2; string endorsed_block = 3; }
message SignedEndorsement {
  Endorsement content = 1; string signature = 2; string content_creator_pub_key = 3;
  string content_creator_address = 4; string secure_hash = 5; uint64 serialized_size = 6;
}
message BlockHeaderDenunciation {
  string public_key = 1; Slot slot = 2; string hash_1 = 3; string hash_2 = 4; string signature_1 = 5; string signature_2 = 6;
}
message EndorsementDenunciation {
  string public_key = 1; Slot slot = 2; uint32 index = 3; string hash_1 = 4; string hash_2 = 5;
  string signature_1 = 6; string signature_2 = 7;
}
message Denunciation { oneof entry { BlockHeaderDenunciation block_header = 1; EndorsementDenunciation endorsement = 2; } }
message BlockHeader {
  uint32 current_version = 1; UInt32Value announced_version = 2; Slot slot = 3; repeated string parents = 4;
  string operations_hash = 5; repeated SignedEndorsement endorsements = 6; repeated Denunciation denunciations = 7;
}
message SignedBlockHeader {
  BlockHeader content = 1; string signature = 2; string content_creator_pub_key = 3;
  string content_creator_address = 4; string secure_hash = 5; uint64 serialized_size = 6;
}

// What a verifier reads of a header: ids, addresses and sizes that the node adds to each endorsement are computed anyway.
message BareEndorsement { Endorsement content = 1; string signature = 2; string content_creator_pub_key = 3; }
message BareBlockHeader {
  uint32 current_version = 1; UInt32Value announced_version = 2; Slot slot = 3; repeated string parents = 4;
  string operations_hash = 5; repeated BareEndorsement endorsements = 6; repeated Denunciation denunciations = 7;
}
message BareSignedBlockHeader {
  BareBlockHeader content = 1; string signature = 2; string content_creator_pub_key = 3; string secure_hash = 5;
}

message BytesMapFieldEntry { bytes key = 1; bytes value = 2; }
message Transaction { string recipient_address = 1; NativeAmount amount = 2; }
message RollBuy { uint64 roll_count = 1; }
message RollSell { uint64 roll_count = 1; }
message ExecuteSC { bytes data = 1; uint64 max_coins = 2; uint64 max_gas = 3; repeated BytesMapFieldEntry datastore = 4; }
message CallSC {
  string target_address = 1; string target_function = 2; bytes parameter = 3; uint64 max_gas = 4; NativeAmount coins = 5;
}
message OperationType {
  oneof type { Transaction transaction = 1; RollBuy roll_buy = 2; RollSell roll_sell = 3; ExecuteSC execute_sc = 4; CallSC call_sc = 5; }
}
message Operation { NativeAmount fee = 1; uint64 expire_period = 2; OperationType op = 3; }
message SignedOperation {
  Operation content = 1; string signature = 2; string content_creator_pub_key = 3;
  string content_creator_address = 4; string secure_hash = 5; uint64 serialized_size = 6;
}

// A block with its operations, as streamed; raw sub-messages.
message RawFilledOperation { string operation_id = 1; bytes operation = 2; }
message RawFilledBlock { bytes header = 1; repeated RawFilledOperation operations = 2; }
message NewFilledBlocksResponse { bytes filled_block = 1; }

// Unary calls.
message CompactConfig {
  NativeTime genesis_timestamp = 1; uint32 thread_count = 3; NativeTime t0 = 4; uint32 max_block_size = 10;
}
message PublicStatus {
  string node_id = 1; string version = 3; NativeTime current_time = 4; Slot last_executed_final_slot = 8;
  Slot last_executed_speculative_slot = 9; CompactConfig config = 11; uint64 chain_id = 12;
}
message GetStatusRequest {}
message GetStatusResponse { PublicStatus status = 1; }
message SearchBlocksFilter { SlotRange slot_range = 3; }
message SearchBlocksRequest { repeated SearchBlocksFilter filters = 1; }
message BlockInfo { string block_id = 1; uint32 status = 2; }
message SearchBlocksResponse { repeated BlockInfo block_infos = 1; }
message GetBlocksRequest { repeated string block_ids = 1; }
message RawBlock { bytes header = 1; repeated string operations = 2; }
message RawBlockWrapper { uint32 status = 1; RawBlock block = 2; }
message GetBlocksResponse { repeated RawBlockWrapper wrapped_blocks = 1; }
message GetOperationsRequest { repeated string operation_ids = 1; }
message RawOperationWrapper { repeated string block_ids = 1; uint32 thread = 2; bytes operation = 3; }
message GetOperationsResponse { repeated RawOperationWrapper wrapped_operations = 1; }

// What only the id of a SignedBlockHeader or SignedOperation is wanted of.
message SecureHash { string secure_hash = 5; }

// Execution results.
message NewSlotExecutionOutputsFilter { uint32 status = 1; }
message NewSlotExecutionOutputsRequest { repeated NewSlotExecutionOutputsFilter filters = 1; }
message NewFilledBlocksRequest {}
message ScExecutionEventContext {
  Slot origin_slot = 1; StringValue block_id = 2; uint64 index_in_slot = 3; repeated string call_stack = 4;
  StringValue origin_operation_id = 5; bool is_failure = 6;
}
message ScExecutionEvent { ScExecutionEventContext context = 1; bytes data = 2; }
message ExecutedOpsChangeValue { uint32 status = 1; Slot slot = 2; }
message ExecutedOpsChangeEntry { string operation_id = 1; ExecutedOpsChangeValue value = 2; }
message SetOrKeepString { StringValue set = 1; }
message StateChanges { repeated ExecutedOpsChangeEntry executed_ops_changes = 4; SetOrKeepString execution_trail_hash_change = 6; }
message ExecutionOutput { Slot slot = 1; StringValue block_id = 2; repeated ScExecutionEvent events = 3; StateChanges state_changes = 4; }
message SlotExecutionOutput { uint32 status = 1; ExecutionOutput execution_output = 2; }
message NewSlotExecutionOutputsResponse { SlotExecutionOutput output = 1; }

message OpExecutionStatusFinal { string operation_id = 1; }
message BytesValue { bytes value = 1; }
message BoolValue { bool value = 1; }
message AddressDatastoreKeysFinal {
  string address = 1; bytes prefix = 2; BytesValue start_key = 3; BoolValue inclusive_start_key = 4; UInt32Value limit = 7;
}
message AddressDatastoreValueFinal { string address = 1; bytes key = 2; }
message ExecutionQueryRequestItem {
  oneof request_item {
    AddressDatastoreKeysFinal address_datastore_keys_final = 8; AddressDatastoreValueFinal address_datastore_value_final = 10;
    OpExecutionStatusFinal op_execution_status_final = 12;
  }
}
message QueryStateRequest { repeated ExecutionQueryRequestItem queries = 1; }
message ArrayOfBytesWrapper { repeated bytes items = 1; }
message ExecutionQueryResponseItem {
  optional bytes bytes = 4; ArrayOfBytesWrapper vec_bytes = 5; optional uint32 execution_status = 7;
}
message Error { int32 code = 1; string message = 2; }
message ExecutionQueryResponse { ExecutionQueryResponseItem result = 1; Error error = 2; }
message QueryStateResponse { Slot final_cursor = 1; repeated ExecutionQueryResponse responses = 4; }
message ScExecutionEventsFilter { oneof filter { SlotRange slot_range = 1; uint32 status = 6; } }
message GetScExecutionEventsRequest { repeated ScExecutionEventsFilter filters = 1; }
message GetScExecutionEventsResponse { repeated ScExecutionEvent events = 1; }
`

const root = protobuf.parse(SCHEMA, { keepCase: false }).root

/** protobufjs gives 64-bit integers as halves. */
export type U64Message = { readonly low: number; readonly high: number; readonly unsigned?: boolean }
type Absent = null | undefined

export type NativeAmountMessage = { mantissa?: U64Message; scale?: number }
export type SlotMessage = { period?: U64Message; thread?: number }
type StringValueMessage = { value?: string }

export type EndorsementMessage = { slot?: SlotMessage | Absent; index?: number; endorsedBlock?: string }
interface SignedFields {
  signature?: string
  contentCreatorPubKey?: string
  contentCreatorAddress?: string
  secureHash?: string
  serializedSize?: U64Message
}
export type SignedEndorsementMessage = SignedFields & { content?: EndorsementMessage | Absent }
export type DenunciationFieldsMessage = {
  publicKey?: string
  slot?: SlotMessage | Absent
  index?: number
  hash_1?: string
  hash_2?: string
  signature_1?: string
  signature_2?: string
}
export type DenunciationMessage = {
  blockHeader?: DenunciationFieldsMessage | Absent
  endorsement?: DenunciationFieldsMessage | Absent
}
export type BlockHeaderMessage = {
  currentVersion?: number
  announcedVersion?: { value?: number } | Absent
  slot?: SlotMessage | Absent
  parents?: string[]
  operationsHash?: string
  endorsements?: SignedEndorsementMessage[]
  denunciations?: DenunciationMessage[]
}
export type SignedBlockHeaderMessage = SignedFields & { content?: BlockHeaderMessage | Absent }
export type OperationTypeMessage = {
  transaction?: { recipientAddress?: string; amount?: NativeAmountMessage | Absent } | Absent
  rollBuy?: { rollCount?: U64Message } | Absent
  rollSell?: { rollCount?: U64Message } | Absent
  executeSc?:
    | {
        data?: Uint8Array
        maxCoins?: U64Message
        maxGas?: U64Message
        datastore?: { key?: Uint8Array; value?: Uint8Array }[]
      }
    | Absent
  callSc?:
    | {
        targetAddress?: string
        targetFunction?: string
        parameter?: Uint8Array
        maxGas?: U64Message
        coins?: NativeAmountMessage | Absent
      }
    | Absent
}
export type OperationMessage = {
  fee?: NativeAmountMessage | Absent
  expirePeriod?: U64Message
  op?: OperationTypeMessage | Absent
}
export type SignedOperationMessage = SignedFields & { content?: OperationMessage | Absent }

/** A block with its operations; header and operations are untouched SignedBlockHeader and SignedOperation bytes. */
export type RawFilledBlockMessage = {
  header?: Uint8Array
  operations?: { operationId?: string; operation?: Uint8Array }[]
}
export type PublicStatusMessage = {
  nodeId?: string
  version?: string
  currentTime?: { milliseconds?: U64Message } | Absent
  lastExecutedFinalSlot?: SlotMessage | Absent
  lastExecutedSpeculativeSlot?: SlotMessage | Absent
  config?:
    | {
        genesisTimestamp?: { milliseconds?: U64Message } | Absent
        threadCount?: number
        t0?: { milliseconds?: U64Message } | Absent
        maxBlockSize?: number
      }
    | Absent
  chainId?: U64Message
}
type SlotRangeMessage = { startSlot?: SlotMessage; endSlot?: SlotMessage }
export type ScExecutionEventMessage = {
  context?:
    | {
        originSlot?: SlotMessage | Absent
        blockId?: StringValueMessage | Absent
        indexInSlot?: U64Message
        callStack?: string[]
        originOperationId?: StringValueMessage | Absent
        isFailure?: boolean
      }
    | Absent
  data?: Uint8Array
}
export type ExecutionOutputMessage = {
  slot?: SlotMessage | Absent
  blockId?: StringValueMessage | Absent
  events?: ScExecutionEventMessage[]
  stateChanges?:
    | {
        executedOpsChanges?: {
          operationId?: string
          value?: { status?: number; slot?: SlotMessage | Absent } | Absent
        }[]
        executionTrailHashChange?: { set?: StringValueMessage | Absent } | Absent
      }
    | Absent
}

/** One question of QueryState. */
export type StateQueryMessage = {
  opExecutionStatusFinal?: { operationId?: string }
  addressDatastoreKeysFinal?: {
    address?: string
    prefix?: Uint8Array
    startKey?: { value?: Uint8Array }
    inclusiveStartKey?: { value?: boolean }
    limit?: { value?: number }
  }
  addressDatastoreValueFinal?: { address?: string; key?: Uint8Array }
}
/** Its answer: one field of the result, or the error. */
export type StateAnswerMessage = {
  result?:
    | { bytes?: Uint8Array | Absent; vecBytes?: { items?: Uint8Array[] } | Absent; executionStatus?: number }
    | Absent
  error?: { code?: number; message?: string } | Absent
}

/** Encodes and decodes one message type; `decode` throws on bytes that are not protobuf. */
export interface MessageCodec<T> {
  encode(message: T): Uint8Array
  decode(bytes: Uint8Array): T
}

type Fields = { readonly [name: string]: unknown }

/** proto3 leaves out fields that hold their default, unless presence counts (optional, oneof): so do nodes. */
function dropDefaults(type: protobuf.Type, message: Fields): Fields {
  const kept: Record<string, unknown> = {}
  for (const field of type.fieldsArray) {
    const value = message[field.name]
    if (value === null || value === undefined) continue
    const inner = field.resolve().resolvedType
    if (inner instanceof protobuf.Type) {
      kept[field.name] = Array.isArray(value)
        ? value.map((one: Fields) => dropDefaults(inner, one))
        : dropDefaults(inner, value as Fields)
    } else if (field.repeated || field.partOf || !isDefault(value)) kept[field.name] = value
  }
  return kept
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0
  if (typeof value === 'object' && value !== null) return fromU64(value as U64Message) === 0n
  return value === 0 || value === '' || value === false
}

function codec<T extends object>(name: string): MessageCodec<T> {
  return createMessageCodec<T>(root.lookupType(name))
}

/** Of a message type of any schema; the caller knows what its fields look like. */
export function createMessageCodec<T extends object>(type: protobuf.Type): MessageCodec<T> {
  return {
    encode: (message) => type.encode(dropDefaults(type, message as Fields)).finish(),
    decode: (bytes) => type.decode(bytes) as unknown as T,
  }
}

export const SignedBlockHeaderCodec = codec<SignedBlockHeaderMessage>('SignedBlockHeader')
/** Decodes the same messages, without what a node adds to endorsements and without its address and size. */
export const BareSignedBlockHeaderCodec = codec<SignedBlockHeaderMessage>('BareSignedBlockHeader')
export const SignedEndorsementCodec = codec<SignedEndorsementMessage>('SignedEndorsement')
export const SignedOperationCodec = codec<SignedOperationMessage>('SignedOperation')
export const RawFilledBlockCodec = codec<RawFilledBlockMessage>('RawFilledBlock')
export const NewFilledBlocksResponseCodec = codec<{ filledBlock?: Uint8Array }>('NewFilledBlocksResponse')
export const NewFilledBlocksRequestCodec = codec<object>('NewFilledBlocksRequest')
export const NewSlotExecutionOutputsRequestCodec = codec<{ filters?: { status?: number }[] }>(
  'NewSlotExecutionOutputsRequest',
)
export const NewSlotExecutionOutputsResponseCodec = codec<{
  output?: { status?: number; executionOutput?: ExecutionOutputMessage | Absent } | Absent
}>('NewSlotExecutionOutputsResponse')
export const GetStatusRequestCodec = codec<object>('GetStatusRequest')
export const GetStatusResponseCodec = codec<{ status?: PublicStatusMessage | Absent }>('GetStatusResponse')
export const SearchBlocksRequestCodec = codec<{ filters?: { slotRange?: SlotRangeMessage }[] }>('SearchBlocksRequest')
export const SearchBlocksResponseCodec = codec<{ blockInfos?: { blockId?: string; status?: number }[] }>(
  'SearchBlocksResponse',
)
export const GetBlocksRequestCodec = codec<{ blockIds?: string[] }>('GetBlocksRequest')
export const GetBlocksResponseCodec = codec<{
  wrappedBlocks?: { status?: number; block?: { header?: Uint8Array; operations?: string[] } | Absent }[]
}>('GetBlocksResponse')
export const GetOperationsRequestCodec = codec<{ operationIds?: string[] }>('GetOperationsRequest')
export const GetOperationsResponseCodec = codec<{
  wrappedOperations?: { blockIds?: string[]; thread?: number; operation?: Uint8Array }[]
}>('GetOperationsResponse')
export const SecureHashCodec = codec<{ secureHash?: string }>('SecureHash')
export const QueryStateRequestCodec = codec<{ queries?: StateQueryMessage[] }>('QueryStateRequest')
export const QueryStateResponseCodec = codec<{
  finalCursor?: SlotMessage | Absent
  responses?: StateAnswerMessage[]
}>('QueryStateResponse')
export const GetScExecutionEventsRequestCodec = codec<{
  filters?: { slotRange?: SlotRangeMessage; status?: number }[]
}>('GetScExecutionEventsRequest')
export const GetScExecutionEventsResponseCodec = codec<{ events?: ScExecutionEventMessage[] }>(
  'GetScExecutionEventsResponse',
)

/** BlockStatus of the node (facts: massa-node 1.2); 0 and 4 say nothing about finality. */
export const BLOCK_STATUS_FINAL = 2
/** ExecutionOutputStatus FINAL. */
export const EXECUTION_STATUS_FINAL = 2

export function fromU64(value: U64Message | null | undefined): bigint {
  if (value === null || value === undefined) return 0n
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0)
}

export function toU64(value: bigint): U64Message {
  return { low: Number(value & 0xffff_ffffn) | 0, high: Number((value >> 32n) & 0xffff_ffffn) | 0, unsigned: true }
}
