export { readOrCreateArchiverKey } from './archiver-key.ts'
export { BALLAST_BYTES } from './ballast.ts'
export { LevelChunkStore } from './chunk-store.ts'
export { type DaemonInfo, readDaemonInfo } from './daemon-info.ts'
export { DiskSpace, FREE_FLOOR_BYTES } from './disk-space.ts'
export { inspectBlock, inspectChunk, inspectOperation, inspectPeriod } from './inspect.ts'
export { KEYSPACES } from './keyspace.ts'
export { type ChunkFilter, type ChunkRow, listChunks } from './list-chunks.ts'
export { type Migration, SCHEMA_VERSION } from './migrations.ts'
export { type OpenStoreOptions, openStore, type Store } from './open-store.ts'
export {
  applyRetention,
  computeNextRetentionAt,
  computeRetentionCut,
  computeRetentionStep,
  planRetention,
  type RetentionPlan,
} from './retention.ts'
export { Scrub, type ScrubModules, type ScrubOptions } from './scrub.ts'
export { LevelSpool } from './spool.ts'
export { readIdentity } from './store-identity.ts'
export { type Damage, type VerifyOptions, type VerifyProgress, type VerifyReport, verifyArchive } from './verify.ts'
