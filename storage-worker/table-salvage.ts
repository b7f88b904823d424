import { crc32c, maskCrc } from './crc32c.ts'
import { type DataBlocks, readDataBlocks, readFilter, type TableBlock } from './table-blocks.ts'
import { FOOTER_BYTES, MAGIC, SEQUENCE_BYTES, TRAILER_BYTES } from './table-file.ts'

/*
 * A damaged table of LevelDB made sound again: its blocks with their keys, sequence numbers and deletions as they are,
 * and a new index behind them. As no sequence number changes, what was deleted stays deleted.
 */

const FILTER_NAME = 'filter.leveldb.BuiltinBloomFilter2'
/** kMaxSequenceNumber and kValueTypeForSeek: what LevelDB puts behind a key that no entry has. */
const SEPARATOR_TAIL = Uint8Array.of(1, 255, 255, 255, 255, 255, 255, 255)

export interface SalvagedTable {
  readonly bytes: Buffer
  /** In it, but for blocks that are compressed. */
  readonly values: number
  /** Whether it has everything that the damaged one had. */
  readonly isWhole: boolean
}

/**
 * What can be read of a damaged table, as a table.
 *
 * @param sizeBytes - how long LevelDB knows it to be: it is made as long when that is enough; absent: as long as it gets
 * @param sealed - values carry seals
 * @returns `undefined` when nothing can be read. Whole, it is byte for byte the one that was written, when its filter
 *   can be had, too: LevelDB reads it without one
 */
export function salvageTable(
  table: Buffer,
  { sizeBytes, sealed }: { readonly sizeBytes: number | undefined; readonly sealed: boolean },
): SalvagedTable | undefined {
  const data = readDataBlocks(table, sealed)
  if (data.blocks.length === 0) return undefined
  const values = data.blocks.reduce((sum, block) => sum + block.values, 0)
  return { bytes: buildTable(data, readFilterOf(table, data), sizeBytes), values, isWhole: data.isWhole }
}

/** It goes by the places of blocks. */
function readFilterOf(table: Buffer, data: DataBlocks): Buffer | undefined {
  return data.isWhole ? readFilter(table, data.end) : undefined
}

function buildTable({ blocks }: DataBlocks, filter: Buffer | undefined, sizeBytes: number | undefined): Buffer {
  const parts: Buffer[] = []
  let at = 0
  const add = (block: Buffer): Buffer => {
    const handle = encodeHandle(at, block.length - TRAILER_BYTES)
    parts.push(block)
    at += block.length
    return handle
  }
  const index: [Uint8Array, Buffer][] = blocks.map((block, i) => {
    return [findSeparator(block, blocks[i + 1]), add(block.bytes)]
  })
  const filters: [Uint8Array, Buffer][] = filter ? [[Buffer.from(FILTER_NAME), add(filter)]] : []
  const metaindexHandle = add(encodeBlock(filters))
  const indexHandle = add(encodeBlock(index))
  const footer = Buffer.alloc(FOOTER_BYTES)
  Buffer.concat([metaindexHandle, indexHandle]).copy(footer)
  footer.writeBigUInt64LE(MAGIC, FOOTER_BYTES - 8)
  const padding = Buffer.alloc(Math.max(0, (sizeBytes ?? 0) - at - FOOTER_BYTES))
  return Buffer.concat([...parts, padding, footer])
}

/** Each entry with its whole key, and a restart. */
function encodeBlock(entries: readonly (readonly [Uint8Array, Uint8Array])[]): Buffer {
  const parts: Uint8Array[] = []
  const restarts: number[] = []
  let at = 0
  for (const [key, value] of entries) {
    restarts.push(at)
    const head = Buffer.concat([encodeVarint(0), encodeVarint(key.length), encodeVarint(value.length)])
    parts.push(head, key, value)
    at += head.length + key.length + value.length
  }
  // An empty block has one, too.
  if (restarts.length === 0) restarts.push(0)
  const tail = Buffer.alloc(4 * restarts.length + 4 + 1)
  for (const [i, restart] of restarts.entries()) tail.writeUInt32LE(restart, 4 * i)
  tail.writeUInt32LE(restarts.length, 4 * restarts.length)
  const content = Buffer.concat([...parts, tail])
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(maskCrc(crc32c(content)))
  return Buffer.concat([content, crc])
}

/** The shortest key from the last of a block on that is below the first of the next, as LevelDB chooses it. */
function findSeparator({ lastKey, indexKey }: TableBlock, next: TableBlock | undefined): Uint8Array {
  if (indexKey) return indexKey
  const last = lastKey.subarray(0, -SEQUENCE_BYTES)
  const shorter = next ? shortenBetween(last, next.firstKey.subarray(0, -SEQUENCE_BYTES)) : shortenAfter(last)
  return shorter.length < last.length ? Buffer.concat([shorter, SEPARATOR_TAIL]) : lastKey
}

/** BytewiseComparator's FindShortestSeparator. */
function shortenBetween(start: Uint8Array, limit: Uint8Array): Uint8Array {
  let same = 0
  while (same < Math.min(start.length, limit.length) && start[same] === limit[same]) same++
  const byte = start[same] ?? 255
  if (same >= Math.min(start.length, limit.length) || byte === 255 || byte + 1 >= (limit[same] ?? 0)) return start
  return raise(start, same)
}

/** BytewiseComparator's FindShortSuccessor. */
function shortenAfter(key: Uint8Array): Uint8Array {
  const at = key.findIndex((byte) => byte !== 255)
  return at < 0 ? key : raise(key, at)
}

/** All up to `at`, and that byte larger by one. */
function raise(key: Uint8Array, at: number): Uint8Array {
  const raised = Uint8Array.from(key.subarray(0, at + 1))
  raised[at] = (raised[at] ?? 0) + 1
  return raised
}

function encodeHandle(offset: number, size: number): Buffer {
  return Buffer.concat([encodeVarint(offset), encodeVarint(size)])
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Buffer.from(bytes)
}
