export type { DeferredCall } from './deferred-calls.ts'
export { ContractEngine, type EngineOptions, type EngineSnapshot } from './engine.ts'
export type { DeferredOutcome } from './execution.ts'
export { type ContractEvent, MAX_CALL_DEPTH, MAX_EVENT_BYTES, MAX_EVENTS } from './execution-context.ts'
export {
  MAX_BLOCK_GAS,
  MAX_INSTANCE_GAS,
  type NodeVersion,
  OPERATION_BASE_GAS,
  TEMPORARY_COMPILATION_GAS,
} from './gas-table.ts'
export { type AddressChange, Ledger, type StateChanges } from './ledger.ts'
export { ModuleCache } from './module-cache.ts'
export {
  type CallBody,
  type EngineOperation,
  type ExecuteBody,
  type OperationOutcome,
  type ReadOnlyBytecode,
  type ReadOnlyCall,
  type ReadOnlyOutcome,
  type RollBody,
  type TransactionBody,
  toEngineOperation,
} from './operation.ts'
export { type DeferredCredit, PERIODS_PER_CYCLE, ROLL_PRICE_NANO_MAS, type RollState } from './rolls.ts'
export {
  ADDRESS_PRICE_NANO_MAS,
  BYTE_PRICE_NANO_MAS,
  computeBytecodePrice,
  computeEntryPrice,
} from './storage-price.ts'
