import { ArgsReader, bool, optionalAs, struct, u8, u32, u64 } from './args.ts'

const RECORD_VERSION = 1
const RECORD_BYTES = 320
const NONE = (1n << 64n) - 1n

/** Every field of the record `state`, in its order (docs/CONTRACT.md, Records). Amounts in nanoMAS. */
const state = struct({
  /** Set aside per GB since the beginning. */
  index: u64,
  /** Millionths of a nanoMAS that the index has not moved yet. */
  idxRem: u32,
  accruedPeriod: u64,
  /** Sum of the nodes' weightGb. */
  weight: u64,
  votes: u64,
  voteEra: u64,
  previousVotes: u64,
  /** Nodes with weight. */
  activeNodes: u64,
  placementTotal: u64,
  /** What rewards may still take. */
  pool: u64,
  owed: u64,
  stakes: u64,
  anchoredBytes: u64,
  anchoredChunks: u64,
  latestEra: optionalAs(u64, NONE),
  firstEra: u64,
  genesisTimestamp: u64,
  lastDistributedPeriod: u64,
  /** Since the last distribution. */
  accruedSince: u64,
  returnedSince: u64,
  shortSince: bool,
  challengerCount: u64,
  registryVersion: u64,
  paused: bool,
  sampledEra: u64,
  eraBytes: u64,
  eraReplicas: u32,
  eraLag: u32,
  eraAnchors: bool,
  switchIndex: optionalAs(u64, NONE),
  /** Era in which anchors began to be required; undefined when they were not switched on. */
  switchEra: optionalAs(u64, NONE),
})

/** The totals of a registry. */
export type RegistryState = ReturnType<typeof state.read>

/** @throws ArchiveError CORE_BYTES_INVALID for a record of another version or length */
export function readStateRecord(record: Uint8Array): RegistryState {
  const reader = new ArgsReader(record)
  if (record.length !== RECORD_BYTES) throw reader.error(`a record of ${record.length} bytes, not ${RECORD_BYTES}`)
  const version = u8.read(reader)
  if (version !== RECORD_VERSION) throw reader.error(`a record of version ${version}`)
  const values = state.read(reader)
  // Records of a fixed size keep room for later fields: zero today.
  while (!reader.isAtEnd) if (u8.read(reader) !== 0) throw reader.error('something stands behind the last field')
  return values
}
