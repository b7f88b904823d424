import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const PREFIX = 'massa_storage_'

/** Calls to a massa-node that are counted. */
export const NODE_RPCS = [
  'GetStatus',
  'SearchBlocks',
  'GetBlocks',
  'GetOperations',
  'QueryState',
  'GetScExecutionEvents',
  'NewSlotExecutionOutputsServer',
  'NewFilledBlocksServer',
] as const
export type NodeRpc = (typeof NODE_RPCS)[number]

/** How a call to a massa-node ended. */
export const CALL_RESULTS = ['ok', 'unreachable', 'refused', 'too_large', 'invalid', 'cancelled'] as const
export type CallResult = (typeof CALL_RESULTS)[number]

/** What was read when damage was found. */
export const READ_REASONS = ['scrub', 'verify', 'read'] as const
export type ReadReason = (typeof READ_REASONS)[number]

/** How an audit of a peer ended. */
export const AUDIT_RESULTS = ['shown', 'failed', 'unanswered'] as const
/** As in the history of challenges. */
export const CHALLENGE_ENDS = ['valid', 'invalid', 'noAnswer', 'void'] as const
/** Where a chunk was that a peer was given. */
export const CHUNK_SOURCES = ['cache', 'disk'] as const
export type ChunkSource = (typeof CHUNK_SOURCES)[number]
/** Where something was that is not on this disk and was asked for by who reads history. */
export const READING_SOURCES = ['holders', 'cache', 'nobody'] as const
/** What became of an announcement. */
export const ANNOUNCEMENT_RESULTS = ['sent', 'taken', 'ignored', 'rejected'] as const

/** Why a block, or what a node said of one, was refused: an error code. */
export const REFUSAL_CODES = [
  'ARCHIVER_BLOCK_ID_MISMATCH',
  'ARCHIVER_BLOCK_UNPARSABLE',
  'ARCHIVER_ENDORSEMENT_MISMATCH',
  'ARCHIVER_OPERATIONS_MISMATCH',
  'ARCHIVER_PARENT_LINK_BROKEN',
  'ARCHIVER_SIGNATURE_INVALID',
  'CORE_BASE58_INVALID',
  'CORE_BYTES_INVALID',
  'CORE_NUMBER_OUT_OF_RANGE',
  'CORE_PROTOBUF_INVALID',
  'CORE_VARINT_INVALID',
  'other',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

interface MetricEntry {
  /** After `massa_storage_`. */
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  /** What one unit of the value is. */
  readonly unit: string
  readonly help: string
  /** Label to its values: a closed set, or what the values are. */
  readonly labels?: Readonly<Record<string, readonly string[] | string>>
  readonly buckets?: readonly number[]
}

/** Every metric of ours; docs/METRICS.md is generated from this table. */
export const METRICS = {
  buildInfo: {
    name: 'build_info',
    type: 'gauge',
    unit: 'none',
    help: 'Always 1; the version is the label.',
    labels: { version: 'version of massa-storage' },
  },
  archivedPeriod: {
    name: 'archived_period',
    type: 'gauge',
    unit: 'period',
    help: 'Newest period that is archived.',
  },
  nodeFinalPeriod: {
    name: 'node_final_period',
    type: 'gauge',
    unit: 'period',
    help: 'Period of the newest final slot of any configured node.',
  },
  archiveLagPeriods: {
    name: 'archive_lag_periods',
    type: 'gauge',
    unit: 'periods',
    help: 'Final periods that are not archived yet; more than 8 for long means that something blocks.',
  },
  indexedPeriods: {
    name: 'indexed_periods',
    type: 'gauge',
    unit: 'periods',
    help: 'Archived periods of which everything is found by id and address.',
  },
  gapSlots: {
    name: 'gap_slots',
    type: 'gauge',
    unit: 'slots',
    help: 'Slots whose block is missing and searched for; anything but 0 is an alarm.',
  },
  spoolBlocks: {
    name: 'spool_blocks',
    type: 'gauge',
    unit: 'blocks',
    help: 'Blocks on disk that wait for their period.',
  },
  spoolFull: {
    name: 'spool_full',
    type: 'gauge',
    unit: 'none',
    help: '1 while the spool takes no blocks but those that archiving waits for; anything but 0 is an alarm.',
  },
  quarantineBlocks: {
    name: 'quarantine_blocks',
    type: 'gauge',
    unit: 'blocks',
    help: 'Final blocks that this release cannot read or verify; anything but 0 is an alarm, upgrade.',
  },
  conflictSlots: {
    name: 'conflict_slots',
    type: 'gauge',
    unit: 'slots',
    help: 'Slots for which the configured nodes name different final blocks; anything but 0 stops archiving.',
  },
  placementEra: {
    name: 'placement_era',
    type: 'gauge',
    unit: 'none',
    help: 'Era (128 periods) of the placement in force: who holds what, by the registry.',
  },
  placementStale: {
    name: 'placement_stale',
    type: 'gauge',
    unit: 'none',
    help: '1 while there is a registry and the placement of the present era is not known: nothing is dropped or repaired.',
  },
  missingCopies: {
    name: 'placement_missing_copies',
    type: 'gauge',
    unit: 'none',
    help: 'Copies that the registry asks for and that some chunks have no holder for: too few nodes, or too little room.',
  },
  liveNodes: {
    name: 'live_nodes',
    type: 'gauge',
    unit: 'nodes',
    help: 'Other sidecars that are connected or were heard of within `p2p.repair_delay_seconds`.',
  },
  differingNodes: {
    name: 'differing_nodes',
    type: 'gauge',
    unit: 'nodes',
    help: 'Nodes of the registry whose archive has other period roots than this one; anything but 0 is an alarm.',
  },
  differingPlacements: {
    name: 'differing_placements',
    type: 'gauge',
    unit: 'nodes',
    help: 'Nodes of the registry that sign another placement than this one for the same era; anything but 0 is an alarm.',
  },
  announcements: {
    name: 'announcements_total',
    type: 'counter',
    unit: 'messages',
    help: 'Announcements of what is held of the last periods: sent by us, and what became of those that came.',
    labels: { result: ANNOUNCEMENT_RESULTS },
  },
  missingChunks: {
    name: 'missing_chunks',
    type: 'gauge',
    unit: 'chunks',
    help: 'Chunks of archived periods that this node is to hold, by the registry or because others are away, and does not.',
  },
  fetchedChunks: {
    name: 'fetched_chunks_total',
    type: 'counter',
    unit: 'chunks',
    help: 'Chunks of archived periods that this node lacked and got from other sidecars, since the start.',
  },
  fetchedBytes: {
    name: 'fetched_bytes_total',
    type: 'counter',
    unit: 'bytes',
    help: 'Bytes of these chunks, and of SEALS that came with them.',
  },
  readChunks: {
    name: 'reading_chunks_total',
    type: 'counter',
    unit: 'chunks',
    help: 'Chunks and SEALS that are not on this disk and were asked for by who reads history, since the start: fetched from their holders, still in memory, or given by nobody.',
    labels: { from: READING_SOURCES },
  },
  servedChunks: {
    name: 'served_chunks_total',
    type: 'counter',
    unit: 'chunks',
    help: 'Chunks given to other sidecars since the start: from memory, where they were asked for lately, or from the disk.',
    labels: { from: CHUNK_SOURCES },
  },
  standInSlots: {
    name: 'stand_in_slots',
    type: 'gauge',
    unit: 'slots',
    help: 'Hash slots (of 16,384) that this node holds because nodes that are to hold them are away.',
  },
  awayNodes: {
    name: 'away_nodes',
    type: 'gauge',
    unit: 'nodes',
    help: 'Nodes with room in the registry that have been away for longer than `p2p.repair_delay_seconds`.',
  },
  periodsArchived: {
    name: 'archived_periods_total',
    type: 'counter',
    unit: 'periods',
    help: 'Periods archived since the start.',
  },
  blocksArchived: {
    name: 'archived_blocks_total',
    type: 'counter',
    unit: 'blocks',
    help: 'Blocks archived since the start.',
  },
  operationsArchived: {
    name: 'archived_operations_total',
    type: 'counter',
    unit: 'operations',
    help: 'Operations archived since the start.',
  },
  unreportedSlots: {
    name: 'archived_unreported_slots_total',
    type: 'counter',
    unit: 'slots',
    help: 'Slots archived since the start without execution results, because no node gave them in time.',
  },
  bodyBytesArchived: {
    name: 'archived_body_bytes_total',
    type: 'counter',
    unit: 'bytes',
    help: 'BODY bytes archived since the start.',
  },
  archiveSeconds: {
    name: 'archive_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'From the moment a period is decided to the moment it is synced and visible on this disk.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 60],
  },
  storedBytes: {
    name: 'stored_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Disk that the archive takes, all files together.',
  },
  quotaBytes: {
    name: 'quota_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Disk that the archive may take (`allocated_storage_gb`).',
  },
  freeBytes: {
    name: 'free_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Free disk in `data_dir`; below `min_free_bytes` no new period is archived.',
  },
  nodeUp: {
    name: 'node_up',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while the massa-node answers, 0 while it does not.',
    labels: { node: 'position in `grpc_urls`, from 0' },
  },
  streamSilent: {
    name: 'stream_silent',
    type: 'gauge',
    unit: 'boolean',
    help: '1 while the streams of the massa-node are silent (`enable_broadcast = false`) and blocks are pulled.',
    labels: { node: 'position in `grpc_urls`, from 0' },
  },
  nodeCalls: {
    name: 'node_calls_total',
    type: 'counter',
    unit: 'calls',
    help: 'Calls to massa-nodes by how they ended.',
    labels: { rpc: NODE_RPCS, result: CALL_RESULTS },
  },
  refusedBlocks: {
    name: 'refused_blocks_total',
    type: 'counter',
    unit: 'blocks',
    help: 'Blocks, and what nodes said of them, that were refused: a node that is broken or hostile, or an upgrade of the network.',
    labels: {
      code: REFUSAL_CODES,
      node: 'position in `grpc_urls`, from 0; `disk` for what waited in quarantine or the spool',
    },
  },
  halted: {
    name: 'halted',
    type: 'gauge',
    unit: 'boolean',
    help: '1 when nothing more is archived until someone acts; `massa-storage status` says why.',
  },
  checkedBytes: {
    name: 'checked_bytes_total',
    type: 'counter',
    unit: 'bytes',
    help: 'Stored bytes compared with their hash: by the scrub, by a `verify` that the sidecar ran, or as they were read for anything else.',
    labels: { reason: READ_REASONS },
  },
  damagedValues: {
    name: 'damaged_values_total',
    type: 'counter',
    unit: 'values',
    help: 'Stored values found damaged, each time that they are; anything but 0 is an alarm: `massa-storage verify` names them, check the disk.',
    labels: { reason: READ_REASONS },
  },
  audits: {
    name: 'audits_total',
    type: 'counter',
    unit: 'audits',
    help: 'Leaves that other nodes were asked to show: shown, failed (not held, or a wrong leaf), or not answered.',
    labels: { result: AUDIT_RESULTS },
  },
  auditSuspicions: {
    name: 'audit_suspicions',
    type: 'gauge',
    unit: 'chunks',
    help: 'Chunks that other nodes must hold and did not show twice in a row; `massa-storage peers --json` names them.',
  },
  proofMargin: {
    name: 'proof_margin_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'From the slot that took a proof of this node to the deadline of its challenge, in chain time.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 1_024],
  },
  lostChallenges: {
    name: 'lost_challenges_total',
    type: 'counter',
    unit: 'challenges',
    help: 'Challenges of this node that failed or expired since the start; anything but 0 costs rewards, and then stake.',
  },
  challengesIssued: {
    name: 'challenges_issued_total',
    type: 'counter',
    unit: 'challenges',
    help: 'Challenges that this node issued on chain, by draws, after failed audits and by hand.',
  },
  challengesEnded: {
    name: 'challenges_ended_total',
    type: 'counter',
    unit: 'challenges',
    help: 'Challenges of this node that the registry has judged: valid; invalid; noAnswer (expired); void (taken back: they are in no block).',
    labels: { result: CHALLENGE_ENDS },
  },
  prunedChunks: {
    name: 'pruned_chunks_total',
    type: 'counter',
    unit: 'chunks',
    help: 'Chunks let go since the start because the disk was nearly full and their holders showed that they have them.',
  },
  prunedBytes: {
    name: 'pruned_bytes_total',
    type: 'counter',
    unit: 'bytes',
    help: 'Bytes of these chunks.',
  },
} as const satisfies Record<string, MetricEntry>

type MetricKey = keyof typeof METRICS
type Table = typeof METRICS

type LabelNames<K extends MetricKey> = Table[K] extends { readonly labels: infer L } ? keyof L & string : never
type LabelValues<K extends MetricKey> = Table[K] extends { readonly labels: infer L }
  ? { readonly [N in keyof L]: L[N] extends readonly (infer V)[] ? V : string | number }
  : never

/** [] for a metric without labels, [labels] for one with. */
type LabelArguments<K extends MetricKey> = [LabelNames<K>] extends [never] ? [] : [labels: LabelValues<K>]

interface GaugeHandle<K extends MetricKey> {
  set(value: number, ...labels: LabelArguments<K>): void
}
interface CounterHandle<K extends MetricKey> {
  /** @param amount - at least 0 */
  add(amount: number, ...labels: LabelArguments<K>): void
}
interface HistogramHandle<K extends MetricKey> {
  observe(value: number, ...labels: LabelArguments<K>): void
}

/** One typed handle per metric: a label or a label value that is not in the table does not compile. */
export type Metrics = {
  readonly [K in MetricKey]: Table[K]['type'] extends 'gauge'
    ? GaugeHandle<K>
    : Table[K]['type'] extends 'counter'
      ? CounterHandle<K>
      : HistogramHandle<K>
} & {
  /** Shared with libraries that bring metrics of their own. */
  readonly registry: Registry
}

export interface MetricsOptions {
  readonly version: string
  /** Memory, CPU, event loop lag and garbage collection of this process; on by default. */
  readonly processMetrics?: boolean
}

/** A new registry with every metric of the table; metrics without labels begin at 0. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry, prefix: PREFIX })
  const handles = Object.entries(METRICS).map(([key, entry]) => [key, createHandle(entry, registry)] as const)
  const metrics = Object.freeze({ ...Object.fromEntries(handles), registry }) as unknown as Metrics
  metrics.buildInfo.set(1, { version: options.version })
  return metrics
}

/** The page that Prometheus reads. */
export async function renderMetrics(
  metrics: Metrics,
): Promise<{ readonly contentType: string; readonly text: string }> {
  return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }
}

type Labels = Record<string, string | number>

function createHandle(entry: MetricEntry, registry: Registry): unknown {
  const shared = {
    name: PREFIX + entry.name,
    help: entry.help,
    labelNames: Object.keys(entry.labels ?? {}),
    registers: [registry],
  }
  switch (entry.type) {
    case 'gauge': {
      const gauge = new Gauge(shared)
      return { set: (value: number, labels: Labels = {}) => gauge.set(labels, value) }
    }
    case 'counter': {
      const counter = new Counter(shared)
      return { add: (amount: number, labels: Labels = {}) => counter.inc(labels, amount) }
    }
    case 'histogram': {
      const histogram = new Histogram({ ...shared, ...(entry.buckets && { buckets: [...entry.buckets] }) })
      return { observe: (value: number, labels: Labels = {}) => histogram.observe(labels, value) }
    }
  }
}

/** The table as plain rows, for docs. */
export function listMetrics(): MetricEntry[] {
  return Object.values<MetricEntry>(METRICS).map((entry) => ({ ...entry, name: PREFIX + entry.name }))
}
