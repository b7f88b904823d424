import { ArchiveError, type Period, type Slot } from '../core/index.ts'
import { MAX_TABLE_KEY_BYTES, SEQUENCE_BYTES } from './table-file.ts'

/*
 * Every LevelDB keyspace, numbered. A number is never used twice: retired ones stay in the list. All integers in keys
 * are big endian, so that keys ascend as numbers do.
 */

export interface Keyspace {
  readonly number: number
  /** `bodies` holds one keyspace and spends no byte on its number; keys of `index` begin with it. */
  readonly database: 'bodies' | 'index'
  readonly name: string
}

export const KEYSPACES = {
  /** u64 period || u32 n -> SHA-256 of the rest || chunk n, holding, execution results, SEALS or manifest */
  storageChunks: { number: 0, database: 'bodies', name: 'storage_chunks' },
  /** chunkId || u64 period || u32 index -> nothing: the key is the place, equal chunks have several */
  merkleRoots: { number: 1, database: 'index', name: 'merkle_roots' },
  /** u64 period -> seal || root || u64 bodyBytes || u32 blocks || u32 operations || u32 chunks || u32 chunks held, unless all */
  periodSummaries: { number: 2, database: 'index', name: 'period_summaries' },
  /** u64 period -> nothing: its bodies may be written while its index entries are not */
  pendingPeriods: { number: 3, database: 'index', name: 'pending_periods' },
  /** u64 period || u8 thread || 33-byte block id -> seal || vi(operation count) || bytes(record) || seals */
  spoolBlocks: { number: 4, database: 'index', name: 'spool_blocks' },
  /** u64 period || u8 thread -> seal || 33-byte block id */
  finals: { number: 5, database: 'index', name: 'finals' },
  /** 33-byte block id -> seal || string(code) || FilledBlock message */
  quarantine: { number: 6, database: 'index', name: 'quarantine' },
  /** u64 period || u8 thread -> seal || execution results of the slot */
  executions: { number: 7, database: 'index', name: 'executions' },
  /** UTF-8 name -> seal || value */
  marks: { number: 8, database: 'index', name: 'marks' },
  /** UTF-8 name -> what the store itself must remember: a deletion under way, the place of the scrub */
  journal: { number: 9, database: 'index', name: 'journal' },
  /** reserved: node id -> what is known of a storage node */
  storageNodes: { number: 10, database: 'index', name: 'storage_nodes' },
  /** u64 ms since 1970 || UTF-8 challenge id -> seal || challenge that was issued here and its outcome, JSON */
  challengeHistory: { number: 11, database: 'index', name: 'challenge_history' },
  /** SHA-256 of what it does -> seal || operation that was signed and of which it is not known yet what became, JSON */
  operationJournal: { number: 12, database: 'index', name: 'operation_journal' },
  /** u64 era -> seal || deflated JSON of what the registry said about it */
  placements: { number: 13, database: 'index', name: 'placements' },
  /** u64 ms since 1970 || UTF-8 operation id -> seal || distribution or claim of this sidecar's, JSON */
  rewardHistory: { number: 14, database: 'index', name: 'reward_history' },
  /** UTF-8 challenge id -> seal || u64 period of issue || 65-byte signature that it was drawn by */
  drawSignatures: { number: 15, database: 'index', name: 'draw_signatures' },
} as const satisfies Record<string, Keyspace>

export type KeyspaceName = keyof typeof KEYSPACES

/** Places in a period after its chunks; a period has at most 16,384 of those. */
export const HOLDING = 0xffff_fffc
export const EXECUTION_RESULTS = 0xffff_fffd
export const SEALS = 0xffff_fffe
/** The last key of a period: its presence makes the period visible. */
export const MANIFEST = 0xffff_ffff

/** The period behind it is still a safe integer. */
export const LAST_PERIOD = Number.MAX_SAFE_INTEGER - 1

const BODY_KEY_BYTES = 12

/** u64 period || u32 n */
export function encodeBodyKey(period: Period, n: number): Uint8Array {
  const key = new Uint8Array(BODY_KEY_BYTES)
  const view = new DataView(key.buffer)
  setPeriod(view, 0, period)
  view.setUint32(8, n)
  return key
}

/** `undefined` for bytes that no `encodeBodyKey` gave. */
export function decodeBodyKey(key: Uint8Array): { readonly period: Period; readonly n: number } | undefined {
  if (key.length !== BODY_KEY_BYTES) return undefined
  const view = new DataView(key.buffer, key.byteOffset, key.length)
  const period = getPeriod(view, 0)
  return Number.isSafeInteger(period) ? { period, n: view.getUint32(8) } : undefined
}

/** Whether a chunk may stand at `n`. */
export function isChunkPlace(n: number): boolean {
  return n < HOLDING
}

/** What people call the value at `n`: 'chunk 3', 'holding', 'execution results', 'seals', 'manifest'. */
export function describePlace(n: number): string {
  if (n === MANIFEST) return 'manifest'
  if (n === SEALS) return 'seals'
  if (n === EXECUTION_RESULTS) return 'execution results'
  if (n === HOLDING) return 'holding'
  return `chunk ${n}`
}

export interface KeyRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

/** All values of the periods [from, to]. */
export function bodyRange(from: Period, to: Period): KeyRange {
  return { gte: encodeBodyKey(from, 0), lt: encodeBodyKey(to + 1, 0) }
}

/** What checks LevelDB's tables takes no longer ones. */
const MAX_KEY_BYTES = MAX_TABLE_KEY_BYTES - SEQUENCE_BYTES

/**
 * Keyspace number || parts.
 *
 * @throws ArchiveError STORE_KEY_TOO_LONG over 248 bytes: its table would count as damaged
 */
export function encodeIndexKey(keyspace: KeyspaceName, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 1)
  if (length > MAX_KEY_BYTES) {
    throw new ArchiveError('STORE_KEY_TOO_LONG', `a key of ${length} bytes in ${KEYSPACES[keyspace].name}`)
  }
  const key = new Uint8Array(length)
  key[0] = KEYSPACES[keyspace].number
  let offset = 1
  for (const part of parts) {
    key.set(part, offset)
    offset += part.length
  }
  return key
}

/** Everything of a keyspace of `index`. */
export function keyspaceRange(keyspace: KeyspaceName): KeyRange {
  const { number } = KEYSPACES[keyspace]
  return { gte: Uint8Array.of(number), lt: Uint8Array.of(number + 1) }
}

/** Keys of a keyspace of `index` that begin with a period in [from, to]. */
export function periodRange(keyspace: KeyspaceName, from: Period, to: Period): KeyRange {
  return { gte: encodeIndexKey(keyspace, encodePeriod(from)), lt: encodeIndexKey(keyspace, encodePeriod(to + 1)) }
}

export function encodePeriod(period: Period): Uint8Array {
  const bytes = new Uint8Array(8)
  // Not through a DataView: its buffer would have to be taken outside of the heap.
  let rest = period
  for (let i = 7; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}

export function decodePeriod(bytes: Uint8Array, offset: number): Period {
  return getPeriod(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset)
}

// In two halves: a BigInt for each key is felt where thousands are read.
function getPeriod(view: DataView, offset: number): Period {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}

function setPeriod(view: DataView, offset: number, period: Period): void {
  view.setUint32(offset, Math.floor(period / 2 ** 32))
  view.setUint32(offset + 4, period)
}

/** u64 period || u8 thread */
export function encodeSlotKey(slot: Slot): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes.set(encodePeriod(slot.period))
  bytes[8] = slot.thread
  return bytes
}

export function decodeSlotKey(bytes: Uint8Array, offset: number): Slot {
  return { period: decodePeriod(bytes, offset), thread: bytes[offset + 8] ?? 0 }
}
