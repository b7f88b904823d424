import { ADDRESS_BYTES, type Period } from '../../core/index.ts'
import type { KeyRange } from '../keyspace.ts'

/*
 * Keys of the database `history`, which says where things stand that have a name of their own. It can be deleted: it is
 * made again from the archive. Integers are big endian. Ids and addresses are cut short: whoever finds a place reads
 * there and compares, so that two that begin alike cost a read and no wrong answer.
 */

/** Another number: the database is deleted and made again. */
export const HISTORY_VERSION = 2

export const HISTORY_KEYSPACES = {
  /** UTF-8 name -> value */
  meta: 0,
  /** u48 period -> BlockDirectory: the period is indexed */
  periods: 1,
  /** 8 bytes of the hash || u48 period || u8 thread || u16 place among the distinct operations -> DirectoryEntry */
  operations: 2,
  /** 8 bytes of the hash || u48 period || u8 thread -> DirectoryEntry */
  blocks: 3,
  /** 6 bytes of the hash || u48 period || u8 thread || u8 index -> DirectoryEntry of the block */
  endorsements: 4,
  /** u8 kind || 10 bytes of the hash || u8 role || u48 period -> what the address did there, by role */
  addresses: 5,
} as const

/** What an address can be in a period. The first two are followed by operations, the others by a bitmap of threads. */
export const ROLES = ['creator', 'target', 'producer', 'endorser', 'event'] as const
export type Role = (typeof ROLES)[number]
export type OperationRole = 'creator' | 'target'

export const PERIOD_BYTES = 6
/** Higher ones do not fit a key: 140 million years of a chain. */
export const MAX_INDEXED_PERIOD = 2 ** 48 - 1

const PREFIX_BYTES = { operations: 8, blocks: 8, endorsements: 6 } as const
const ADDRESS_PREFIX_BYTES = 10

/** Where an operation, a block or an endorsement stands. */
export interface HistoryPlace {
  readonly period: Period
  readonly thread: number
  /** Of the operation among the distinct ones of its block, of the endorsement in its header; 0 of a block. */
  readonly index: number
}

export function metaKey(name: string): Uint8Array {
  const text = new TextEncoder().encode(name)
  const key = new Uint8Array(1 + text.length)
  key[0] = HISTORY_KEYSPACES.meta
  key.set(text, 1)
  return key
}

/** Of unknown content, in Node's pool: LevelDB reads what it writes outside of V8's heap, and bringing a small array there takes long. */
function takeKey(sizeBytes: number): Buffer {
  return Buffer.allocUnsafe(sizeBytes)
}

export function periodKey(period: Period): Uint8Array {
  const key = takeKey(1 + PERIOD_BYTES)
  key[0] = HISTORY_KEYSPACES.periods
  setPeriod(key, 1, period)
  return key
}

export function decodePeriodKey(key: Uint8Array): Period {
  return getPeriod(key, 1)
}

/** @param id - 33 bytes, as all ids here */
export function placeKey(keyspace: keyof typeof PREFIX_BYTES, id: Uint8Array, place: HistoryPlace): Uint8Array {
  const prefixBytes = PREFIX_BYTES[keyspace]
  const tail = keyspace === 'operations' ? 3 : keyspace === 'endorsements' ? 2 : 1
  const key = takeKey(1 + prefixBytes + PERIOD_BYTES + tail)
  key[0] = HISTORY_KEYSPACES[keyspace]
  for (let i = 1; i <= prefixBytes; i++) key[i] = id[i] ?? 0
  let at = setPeriod(key, 1 + prefixBytes, place.period)
  key[at++] = place.thread
  if (tail === 3) key[at++] = place.index >>> 8
  if (tail > 1) key[at] = place.index & 0xff
  return key
}

export function decodePlaceKey(keyspace: keyof typeof PREFIX_BYTES, key: Uint8Array): HistoryPlace {
  const at = 1 + PREFIX_BYTES[keyspace] + PERIOD_BYTES
  const period = getPeriod(key, 1 + PREFIX_BYTES[keyspace])
  const thread = key[at] ?? 0
  const tail = [...key.subarray(at + 1)]
  return { period, thread, index: tail.reduce((index, byte) => index * 256 + byte, 0) }
}

/** Keys of everything whose id begins as this one. */
export function idRange(keyspace: keyof typeof PREFIX_BYTES, id: Uint8Array): KeyRange {
  const prefix = new Uint8Array(1 + PREFIX_BYTES[keyspace])
  prefix[0] = HISTORY_KEYSPACES[keyspace]
  prefix.set(id.subarray(1, prefix.length), 1)
  return prefixRange(prefix)
}

/** @param address - 34 bytes */
export function addressKey(address: Uint8Array, role: Role, period: Period): Uint8Array {
  if (address.length !== ADDRESS_BYTES) throw new Error(`an address of ${address.length} bytes`)
  const key = takeKey(1 + 1 + ADDRESS_PREFIX_BYTES + 1 + PERIOD_BYTES)
  key[0] = HISTORY_KEYSPACES.addresses
  key[1] = address[0] ?? 0
  for (let i = 2; i < 2 + ADDRESS_PREFIX_BYTES; i++) key[i] = address[i] ?? 0
  key[2 + ADDRESS_PREFIX_BYTES] = ROLES.indexOf(role)
  setPeriod(key, key.length - PERIOD_BYTES, period)
  return key
}

export function decodeAddressPeriod(key: Uint8Array): Period {
  return getPeriod(key, key.length - PERIOD_BYTES)
}

/** Keys of an address in a role, of the periods of [from, to]. */
export function addressRange(address: Uint8Array, role: Role, from: Period, to: Period): KeyRange {
  return {
    gte: addressKey(address, role, from),
    lt: addressKey(address, role, Math.min(to, MAX_INDEXED_PERIOD - 1) + 1),
  }
}

/** Keys of the keyspace `periods`, of [from, to]. */
export function periodKeyRange(from: Period, to: Period): KeyRange {
  return { gte: periodKey(from), lt: periodKey(Math.min(to, MAX_INDEXED_PERIOD - 1) + 1) }
}

/** The period that any key but one of `meta` belongs to. */
export function decodeKeyPeriod(key: Uint8Array): Period {
  switch (key[0]) {
    case HISTORY_KEYSPACES.operations:
      return decodePlaceKey('operations', key).period
    case HISTORY_KEYSPACES.blocks:
      return decodePlaceKey('blocks', key).period
    case HISTORY_KEYSPACES.endorsements:
      return decodePlaceKey('endorsements', key).period
    case HISTORY_KEYSPACES.addresses:
      return decodeAddressPeriod(key)
    default:
      return decodePeriodKey(key)
  }
}

function prefixRange(prefix: Uint8Array): KeyRange {
  const lt = prefix.slice()
  for (let at = lt.length - 1; at >= 0; at--) {
    if (lt[at] === 0xff) continue
    lt[at] = (lt[at] ?? 0) + 1
    return { gte: prefix, lt: lt.subarray(0, at + 1) }
  }
  throw new Error('a prefix of nothing but 0xff')
}

function setPeriod(bytes: Uint8Array, offset: number, period: Period): number {
  let rest = period
  for (let i = PERIOD_BYTES - 1; i >= 0; i--) {
    bytes[offset + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return offset + PERIOD_BYTES
}

function getPeriod(bytes: Uint8Array, offset: number): Period {
  let period = 0
  for (let i = 0; i < PERIOD_BYTES; i++) period = period * 256 + (bytes[offset + i] ?? 0)
  return period
}
