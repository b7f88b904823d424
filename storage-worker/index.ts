export { AnchoredEras } from './anchors/anchored-eras.ts'
export { createEraRelease, type EraRelease } from './anchors/era-release.ts'
export { readAnchors } from './anchors/read-anchors.ts'
export { BALLAST_BYTES } from './ballast.ts'
export type {
  ChainPort,
  ChainStatus,
  ContractCall,
  Quote,
  SignedOperation,
  SubmitOptions,
  SubmittedOperation,
} from './chain-port.ts'
export { checkBytecode, listExportedFunctions } from './check-bytecode.ts'
export { LevelChunkStore } from './chunk-store.ts'
export { isHolderRunning, readDaemonInfo } from './daemon-info.ts'
export { listDataDirNames, nameDataDir } from './data-dir-name.ts'
export {
  compareBytecode,
  type Deployed,
  type DeployPlan,
  deployRegistry,
  followDeployment,
  planDeployment,
  readBytecodeFile,
  readContract,
  readShippedBytecode,
} from './deploy-registry.ts'
export { DiskSpace, FREE_FLOOR_BYTES } from './disk-space.ts'
export { findAccessProblem, quotePath } from './explain-access.ts'
export {
  type AddressOperation,
  checkHistory,
  type FinalPeriod,
  FinalPeriods,
  type HistoryAnswer,
  HistoryAnswers,
  type HistoryBlock,
  type HistoryCheckOptions,
  type HistoryEndorsement,
  type HistoryIndex,
  HistoryIndexer,
  type HistoryOperation,
  HistoryReader,
  type HistorySlot,
  type HistoryStatus,
  type HolderFetcher,
  type Inclusion,
  type ListCursor,
  type ListRequest,
  type OperationRole,
  openHistory,
  parseCursor,
  type RangeAnswer,
  type RangeRequest,
  rebuildHistory,
  type SlotListOptions,
  type SlotSummary,
} from './history/index.ts'
export { inspectBlock, inspectChunk, inspectOperation, inspectPeriod } from './inspect.ts'
export { KEY_FILES, readKey, readOrCreateKey } from './key-files.ts'
export { KEYSPACES } from './keyspace.ts'
export { type ChunkFilter, type ChunkRow, listChunks } from './list-chunks.ts'
export { checkSchema, type Migration, SCHEMA_VERSION } from './migrations.ts'
export { type OpenStoreOptions, openStore, type Store } from './open-store.ts'
export { CHUNK_ROLES, type ChunkRole, type FoundRoles, OwnRoles } from './placement/own-roles.ts'
export { type ChunkHolders, computePlacementTable, type Holder, PlacementTable } from './placement/placement-table.ts'
export { type PlacementStatus, PlacementWatch } from './placement/placement-watch.ts'
export {
  PLACEMENT_LIMITS,
  type PlacementNode,
  type PlacementReading,
  readPlacement,
} from './placement/read-placement.ts'
export {
  checkAnnounce,
  checkApply,
  findTakenBack,
  isInForce,
  type PendingChange,
  planConfigChange,
  quoteChange,
  type RegistryChange,
  readPendingChange,
  readPendingChanges,
  sendChange,
  tryCode,
} from './registry-changes.ts'
export { RegistryClient, type RegistryOutcome } from './registry-client.ts'
export { OwnHoldings } from './replication/own-holdings.ts'
export {
  applyRetention,
  computeNextRetentionAt,
  computeRetentionCut,
  computeRetentionStep,
  planRetention,
  type RetentionPlan,
} from './retention.ts'
export { Scrub, type ScrubModules, type ScrubOptions } from './scrub.ts'
export type { SearchWatch } from './search-periods.ts'
export { LevelSpool } from './spool.ts'
export { readIdentity } from './store-identity.ts'
export { verifyArchive } from './verify.ts'
export type { Damage, VerifyOptions, VerifyProgress, VerifyReport } from './verify-report.ts'
export {
  computeKeyAddress,
  formatWallet,
  makeSecretKey,
  sealWallet,
} from './wallet-file.ts'
export { type KeySource, readWalletAddress, readWalletKey } from './wallet-key.ts'
export { openWeb3Chain, type Web3ChainOptions } from './web3-chain.ts'
export { writeNewWallet } from './write-wallet.ts'
