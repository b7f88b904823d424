export { Archiver } from './archiver.ts'
export type { ArchiverEvents, ArchiverStatus } from './archiver-ports.ts'
export { type AttestedExecutions, attestExecutions, parseAttestedExecutions } from './attestation.ts'
export { CpuPool, type CpuWork } from './cpu-pool.ts'
export { type DatastoreAnswers, type DatastoreQuery, KEYS_PER_QUERY } from './datastore-queries.ts'
export {
  type ExecutionEvent,
  encodeExecution,
  encodePeriodExecutions,
  type SlotExecution,
} from './execution-results.ts'
export { guardLoop } from './guard-loop.ts'
export { NodeClient, type NodeStatus } from './node-client.ts'
export { type FollowerStatus, NodeFollower } from './node-follower.ts'
export { type DecidedPeriod, type DecidedSlot, encodePeriod } from './period-encoder.ts'
export { refetchFromNodes } from './refetch-period.ts'
export { type ChainRestart, type FinalBlock, type Gap, type PeriodRange, SlotLedger } from './slot-ledger.ts'
export { isStoreFailure, StoreWatch } from './store-watch.ts'
export { verifyFilledBlock } from './verify-block.ts'
