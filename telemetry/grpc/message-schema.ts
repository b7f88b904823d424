/**
 * The messages of a massa-node's public gRPC service, by field number (facts: proto-fields), but for call stacks and
 * transfers, which only nodes built for them send. Where a whole message was encoded before it is passed on, it is
 * declared `bytes`: length-delimited fields look the same on the wire. Enumerations are plain numbers.
 */
export const PUBLIC_API_SCHEMA = `
syntax = "proto3";

message Empty {}
message StringValue { string value = 1; }
message BytesValue { bytes value = 1; }
message BoolValue { bool value = 1; }
message UInt32Value { uint32 value = 1; }
message UInt64Value { uint64 value = 1; }
message NativeAmount { uint64 mantissa = 1; uint32 scale = 2; }
message NativeTime { uint64 milliseconds = 1; }
message Slot { uint64 period = 1; uint32 thread = 2; }
message SlotRange { Slot start_slot = 1; Slot end_slot = 2; }
message BlockIds { repeated string block_ids = 1; }
message OperationIds { repeated string operation_ids = 1; }
message EndorsementIds { repeated string endorsement_ids = 1; }
message Addresses { repeated string addresses = 1; }
message OpTypes { repeated int32 op_types = 1; }
message BytesMapFieldEntry { bytes key = 1; bytes value = 2; }
message Error { int32 code = 1; string message = 2; }

message CompactConfig {
  NativeTime genesis_timestamp = 1; NativeTime end_timestamp = 2; uint32 thread_count = 3; NativeTime t0 = 4; uint64 delta_f0 = 5;
  uint64 operation_validity_periods = 6; uint64 periods_per_cycle = 7; NativeAmount block_reward = 8; NativeAmount roll_price = 9;
  uint32 max_block_size = 10;
}
message PublicStatus {
  string node_id = 1; string version = 3; NativeTime current_time = 4; uint64 current_cycle = 5; NativeTime current_cycle_time = 6;
  NativeTime next_cycle_time = 7; Slot last_executed_final_slot = 8; Slot last_executed_speculative_slot = 9;
  string final_state_fingerprint = 10; CompactConfig config = 11; uint64 chain_id = 12; NativeAmount minimal_fees = 13;
  uint32 current_mip_version = 14;
}
message GetOperationABICallStacksRequest { repeated string operation_ids = 1; }
message GetSlotABICallStacksRequest { repeated Slot slots = 1; }
message GetSlotTransfersRequest { repeated Slot slots = 1; }

message GetStatusRequest {}
message GetStatusResponse { PublicStatus status = 1; }

message SearchBlocksFilter { oneof filter { BlockIds block_ids = 1; Addresses addresses = 2; SlotRange slot_range = 3; } }
message SearchBlocksRequest { repeated SearchBlocksFilter filters = 1; }
message BlockInfo { string block_id = 1; int32 status = 2; }
message SearchBlocksResponse { repeated BlockInfo block_infos = 1; }
message GetBlocksRequest { repeated string block_ids = 1; }
message Block { bytes header = 1; repeated string operations = 2; }
message BlockWrapper { int32 status = 1; Block block = 2; }
message GetBlocksResponse { repeated BlockWrapper wrapped_blocks = 1; }

message GetOperationsRequest { repeated string operation_ids = 1; }
message OperationWrapper { repeated string block_ids = 1; uint32 thread = 2; bytes operation = 3; }
message GetOperationsResponse { repeated OperationWrapper wrapped_operations = 1; }
message SearchOperationsFilter { oneof filter { OperationIds operation_ids = 1; Addresses addresses = 2; } }
message SearchOperationsRequest { repeated SearchOperationsFilter filters = 1; }
message OperationInfo { string id = 1; repeated string block_ids = 2; uint32 thread = 3; }
message SearchOperationsResponse { repeated OperationInfo operation_infos = 1; }
message SendOperationsRequest { repeated bytes operations = 1; }
message SendOperationsResponse { oneof result { OperationIds operation_ids = 1; Error error = 2; } }

message GetEndorsementsRequest { repeated string endorsement_ids = 1; }
message EndorsementWrapper { bool in_pool = 1; repeated string in_blocks = 2; bool is_final = 3; bytes endorsement = 4; }
message GetEndorsementsResponse { repeated EndorsementWrapper wrapped_endorsements = 1; }
message SearchEndorsementsFilter {
  oneof filter { EndorsementIds endorsement_ids = 1; Addresses addresses = 2; BlockIds block_ids = 3; }
}
message SearchEndorsementsRequest { repeated SearchEndorsementsFilter filters = 1; }
message EndorsementInfo { string endorsement_id = 1; bool in_pool = 2; repeated string in_blocks = 3; bool is_final = 4; }
message SearchEndorsementsResponse { repeated EndorsementInfo endorsement_infos = 1; }

message AddressKeyEntry { string address = 1; bytes key = 2; }
message GetDatastoreEntryFilter { oneof filter { AddressKeyEntry address_key = 1; } }
message GetDatastoreEntriesRequest { repeated GetDatastoreEntryFilter filters = 1; }
message DatastoreEntry { bytes final_value = 1; bytes candidate_value = 2; }
message GetDatastoreEntriesResponse { repeated DatastoreEntry datastore_entries = 1; }

message GetNextBlockBestParentsRequest {}
message BlockParent { string block_id = 1; uint64 period = 2; }
message GetNextBlockBestParentsResponse { repeated BlockParent block_parents = 1; }
message SelectorDrawsFilter { oneof filter { Addresses addresses = 1; SlotRange slot_range = 2; } }
message GetSelectorDrawsRequest { repeated SelectorDrawsFilter filters = 1; }
message EndorsementDraw { uint64 index = 1; string producer = 2; }
message SlotDraw { Slot slot = 1; StringValue block_producer = 2; repeated EndorsementDraw endorsement_draws = 3; }
message GetSelectorDrawsResponse { repeated SlotDraw draws = 1; }
message StakersFilter { oneof filter { uint64 min_rolls = 1; uint64 max_rolls = 2; uint64 limit = 3; } }
message GetStakersRequest { repeated StakersFilter filters = 1; }
message StakerEntry { string address = 1; uint64 rolls = 2; }
message GetStakersResponse { repeated StakerEntry stakers = 1; }
message GetTransactionsThroughputRequest {}
message GetTransactionsThroughputResponse { uint32 throughput = 1; }
message TransactionsThroughputRequest { UInt64Value interval = 1; }

message ScExecutionEventContext {
  Slot origin_slot = 1; StringValue block_id = 2; uint64 index_in_slot = 3; repeated string call_stack = 4;
  StringValue origin_operation_id = 5; bool is_failure = 6; int32 status = 7;
}
message ScExecutionEvent { ScExecutionEventContext context = 1; bytes data = 2; }
message ScExecutionEventsFilter {
  oneof filter {
    SlotRange slot_range = 1; string caller_address = 2; string emitter_address = 3; string original_operation_id = 4;
    bool is_failure = 5; int32 status = 6;
  }
}
message GetScExecutionEventsRequest { repeated ScExecutionEventsFilter filters = 1; }
message GetScExecutionEventsResponse { repeated ScExecutionEvent events = 1; }

message SetOrKeepBalance { oneof change { NativeAmount set = 1; Empty keep = 2; } }
message SetOrKeepBytes { oneof change { BytesValue set = 1; Empty keep = 2; } }
message SetOrKeepString { oneof change { StringValue set = 1; Empty keep = 2; } }
message SetOrDeleteDatastoreEntry { oneof change { BytesMapFieldEntry set = 1; Empty delete = 2; } }
message LedgerEntry { NativeAmount balance = 1; bytes bytecode = 2; repeated BytesMapFieldEntry datastore = 3; }
message LedgerEntryUpdate { SetOrKeepBalance balance = 1; SetOrKeepBytes bytecode = 2; repeated SetOrDeleteDatastoreEntry datastore = 3; }
message LedgerChangeValue { int32 type = 1; oneof entry { LedgerEntry created_entry = 2; LedgerEntryUpdate updated_entry = 3; } }
message LedgerChangeEntry { string address = 1; LedgerChangeValue value = 2; }
message ExecutedOpsChangeValue { int32 status = 1; Slot slot = 2; }
message ExecutedOpsChangeEntry { string operation_id = 1; ExecutedOpsChangeValue value = 2; }
message StateChanges {
  repeated LedgerChangeEntry ledger_changes = 1; repeated ExecutedOpsChangeEntry executed_ops_changes = 4;
  repeated DenunciationIndex executed_denunciations_changes = 5;
  SetOrKeepString execution_trail_hash_change = 6;
}
message ExecutionOutput { Slot slot = 1; StringValue block_id = 2; repeated ScExecutionEvent events = 3; StateChanges state_changes = 4; }
message SlotExecutionOutput { int32 status = 1; ExecutionOutput execution_output = 2; }

message ExecutionStackElement {
  string address = 1; NativeAmount coins = 2; repeated string owned_addresses = 3; repeated BytesMapFieldEntry operation_datastore = 4;
}
message BytecodeExecution { bytes bytecode = 1; bytes operation_datastore = 2; }
message FunctionCall { string target_address = 1; string target_function = 2; bytes parameter = 3; NativeAmount coins = 4; }
message ReadOnlyExecutionCall {
  uint64 max_gas = 1; repeated ExecutionStackElement call_stack = 2;
  oneof target { BytecodeExecution bytecode_call = 3; FunctionCall function_call = 4; }
  StringValue caller_address = 5; NativeAmount fee = 7;
}
message ExecuteReadOnlyCallRequest { ReadOnlyExecutionCall call = 1; }
message ReadOnlyExecutionOutput { ExecutionOutput out = 1; uint64 used_gas = 2; bytes call_result = 3; }
message ExecuteReadOnlyCallResponse { ReadOnlyExecutionOutput output = 1; }

message OfAddress { string address = 1; }
message KeysQuery {
  string address = 1; bytes prefix = 2; BytesValue start_key = 3; BoolValue inclusive_start_key = 4; BytesValue end_key = 5;
  BoolValue inclusive_end_key = 6; UInt32Value limit = 7;
}
message ValueQuery { string address = 1; bytes key = 2; }
message OfOperation { string operation_id = 1; }
message DenunciationBlockHeader { Slot slot = 1; }
message DenunciationEndorsement { Slot slot = 1; uint32 index = 2; }
message DenunciationIndex { oneof entry { DenunciationBlockHeader block_header = 1; DenunciationEndorsement endorsement = 2; } }
message OfDenunciation { DenunciationIndex denunciation_index = 1; }
message CycleInfos { uint64 cycle = 1; repeated string restrict_to_addresses = 2; }
message Events { repeated ScExecutionEventsFilter filters = 1; }
message DeferredCallQuote { Slot target_slot = 1; uint64 max_gas = 2; uint64 params_size = 3; }
message DeferredCallInfo { string call_id = 1; }
message DeferredCallsBySlot { Slot slot = 1; }
message ExecutionQueryRequestItem {
  oneof request_item {
    OfAddress address_exists_candidate = 1; OfAddress address_exists_final = 2; OfAddress address_balance_candidate = 3;
    OfAddress address_balance_final = 4; OfAddress address_bytecode_candidate = 5; OfAddress address_bytecode_final = 6;
    KeysQuery address_datastore_keys_candidate = 7; KeysQuery address_datastore_keys_final = 8;
    ValueQuery address_datastore_value_candidate = 9; ValueQuery address_datastore_value_final = 10;
    OfOperation op_execution_status_candidate = 11; OfOperation op_execution_status_final = 12;
    OfDenunciation denunciation_execution_status_candidate = 13; OfDenunciation denunciation_execution_status_final = 14;
    OfAddress address_rolls_candidate = 15; OfAddress address_rolls_final = 16;
    OfAddress address_deferred_credits_candidate = 17; OfAddress address_deferred_credits_final = 18;
    CycleInfos cycle_infos = 19; Events events = 20; DeferredCallQuote deferred_call_quote = 21;
    DeferredCallInfo deferred_call_info = 22; DeferredCallsBySlot deferred_calls_by_slot = 23;
  }
}
message QueryStateRequest { repeated ExecutionQueryRequestItem queries = 1; }
message ArrayOfBytesWrapper { repeated bytes items = 1; }
message DeferredCreditsEntry { Slot slot = 1; NativeAmount amount = 2; }
message DeferredCreditsEntryWrapper { repeated DeferredCreditsEntry entries = 1; }
message ProductionStats { uint64 block_success_count = 1; uint64 block_failure_count = 2; }
message ProductionStatsEntry { string address = 1; ProductionStats stats = 2; }
message StakerInfo { uint64 active_rolls = 1; ProductionStatsEntry production_stats = 2; }
message StakerInfoEntry { string address = 1; StakerInfo info = 2; }
message CycleInfosResult { uint64 cycle = 1; bool is_final = 2; repeated StakerInfoEntry staker_infos = 3; }
message ScOutputEventsWrapper { repeated ScExecutionEvent events = 1; }
message DeferredCallQuoteResponse { Slot target_slot = 1; uint64 max_gas_request = 2; bool available = 3; NativeAmount price = 4; }
message DeferredCallInfoEntry {
  string sender_address = 1; Slot target_slot = 2; string target_address = 3; string target_function = 4; bytes parameters = 5;
  NativeAmount coins = 6; uint64 max_gas = 7; NativeAmount fee = 8; bool cancelled = 9;
}
message DeferredCallInfoResponse { string call_id = 1; DeferredCallInfoEntry call = 2; }
message DeferredCallsBySlotResponse { Slot slot = 1; repeated string call_ids = 2; }
message ExecutionQueryResponseItem {
  oneof response_item {
    bool boolean = 1; uint64 roll_count = 2; NativeAmount amount = 3; bytes bytes = 4; ArrayOfBytesWrapper vec_bytes = 5;
    DeferredCreditsEntryWrapper deferred_credits = 6; int32 execution_status = 7; CycleInfosResult cycle_infos = 8;
    ScOutputEventsWrapper events = 9; DeferredCallQuoteResponse deferred_call_quote = 10;
    DeferredCallInfoResponse deferred_call_info = 11; DeferredCallsBySlotResponse deferred_calls_by_slot = 12;
  }
}
message ExecutionQueryResponse { oneof response { ExecutionQueryResponseItem result = 1; Error error = 2; } }
message QueryStateResponse {
  Slot final_cursor = 1; Slot candidate_cursor = 2; string final_state_fingerprint = 3; repeated ExecutionQueryResponse responses = 4;
}

message NewBlocksFilter { oneof filter { BlockIds block_ids = 1; Addresses addresses = 2; SlotRange slot_range = 3; } }
message NewBlocksRequest { repeated NewBlocksFilter filters = 1; }
message SignedBlock {
  Block content = 1; string signature = 2; string content_creator_pub_key = 3; string content_creator_address = 4;
  string secure_hash = 5; uint64 serialized_size = 6;
}
message NewEndorsementsFilter { oneof filter { EndorsementIds endorsement_ids = 1; Addresses addresses = 2; BlockIds block_ids = 3; } }
message NewEndorsementsRequest { repeated NewEndorsementsFilter filters = 1; }
message NewOperationsFilter { oneof filter { OperationIds operation_ids = 1; Addresses addresses = 2; OpTypes operation_types = 3; } }
message NewOperationsRequest { repeated NewOperationsFilter filters = 1; }
message AsyncPoolChangesFilter {
  oneof filter {
    Empty none = 1; int32 type = 2; string handler = 3; string destination_address = 4; string emitter_address = 5; bool can_be_executed = 6;
  }
}
message ExecutedDenounciationFilter { oneof filter { Empty none = 1; } }
message ExecutionEventFilter {
  oneof filter { Empty none = 1; string caller_address = 2; string emitter_address = 3; string original_operation_id = 4; bool is_failure = 5; }
}
message ExecutedOpsChangesFilter { oneof filter { Empty none = 1; string operation_id = 2; } }
message LedgerChangesFilter { oneof filter { Empty none = 1; string address = 2; } }
message NewSlotExecutionOutputsFilter {
  oneof filter {
    int32 status = 1; SlotRange slot_range = 2; AsyncPoolChangesFilter async_pool_changes_filter = 3;
    ExecutedDenounciationFilter executed_denounciation_filter = 4; ExecutionEventFilter event_filter = 5;
    ExecutedOpsChangesFilter executed_ops_changes_filter = 6; LedgerChangesFilter ledger_changes_filter = 7;
  }
}
message NewSlotExecutionOutputsRequest { repeated NewSlotExecutionOutputsFilter filters = 1; }
`
