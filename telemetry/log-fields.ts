/**
 * Every field that a log line can carry. One name per thing, with its unit, so that a search finds all lines that speak
 * of it; a field that is not listed does not compile.
 */
export const LOG_FIELDS = [
  // where on the chain
  'period',
  'thread',
  'slot',
  'firstPeriod',
  'lastPeriod',
  'finalPeriod',
  'archivedPeriod',
  'lagPeriods',
  'era',
  'restartPeriod',
  // what
  'blockId',
  'operationId',
  'chunkId',
  'challengeId',
  'call',
  'setting',
  'index',
  'root',
  'assignments',
  'network',
  'chainId',
  'genesisTimestampMs',
  'anchor',
  // how much
  'blocks',
  'operations',
  'chunks',
  'periods',
  'eras',
  'slots',
  'hashSlots',
  'gaps',
  'misses',
  'count',
  'bodyBytes',
  'wantedPeriods',
  'periodsPerSecond',
  'sizeBytes',
  'freeBytes',
  'storedBytes',
  'quotaBytes',
  'spoolBlocks',
  'quarantineBlocks',
  'damaged',
  'repaired',
  'threads',
  'replicas',
  'wantedReplicas',
  'amountNanoMas',
  'feeNanoMas',
  // how long
  'durationMs',
  'marginMs',
  'quietMs',
  'retryMs',
  'etaMs',
  'timeoutMs',
  // with whom
  'url',
  'node',
  'nodes',
  'rpc',
  'peerId',
  'address',
  // what happened
  'code',
  'reason',
  'result',
  'claims',
  'chunk',
  'passed',
  'total',
  'other',
  'action',
  'err',
  'signal',
  'exitCode',
  // this process
  'version',
  'pid',
  'file',
  'dataDir',
  'bind',
] as const

export type LogField = (typeof LOG_FIELDS)[number]

export type LogValue =
  | string
  | number
  | bigint
  | boolean
  | undefined
  | Uint8Array
  | readonly (string | number | bigint)[]
  | Readonly<Record<string, string | number | bigint>>

/** Fields of one line. `err` takes whatever was caught. */
export type LogFields = { readonly [F in Exclude<LogField, 'err'>]?: LogValue } & { readonly err?: unknown }

/** The rooms that log. */
export type LogModule =
  | 'archiver'
  | 'api'
  | 'cli'
  | 'config'
  | 'daemon'
  | 'devnet'
  | 'market'
  | 'protocol-handler'
  | 'storage-worker'
  | 'telemetry'
