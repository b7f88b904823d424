import { compareBytes } from '../core/index.ts'
import { findByteErrors } from './byte-error.ts'
import { advanceCrc, maskCrc } from './crc32c.ts'
import { openValue, SEAL_BYTES } from './sealed-value.ts'
import {
  checkEntries,
  FOOTER_BYTES,
  fitsChecksum,
  MAX_TABLE_KEY_BYTES,
  SEQUENCE_BYTES,
  TableError,
  TRAILER_BYTES,
  VarintReader,
  visitEntries,
} from './table-file.ts'

/*
 * Blocks of a table file of which something is damaged. They lie one behind the other from the first byte on, and each
 * has a CRC: where no index says so, its end is where the CRC fits.
 */

/** What LevelDB's kinds of block are: as it is, and compressed by snappy. */
const MAX_BLOCK_KIND = 1
/** LevelDB's `block_restart_interval`: so many entries have a restart. */
const ENTRIES_PER_RESTART = 16
/** Three numbers of 32 bits. */
const MAX_ENTRY_HEAD_BYTES = 15
/** Each filter is of the blocks that begin in so many bytes, as a power of 2. */
const FILTER_BASE = 11
/** LevelDB's kTypeValue; kTypeDeletion is 0. */
const TYPE_VALUE = 1

/** A block as it stands in the file, with its trailer. */
export interface TableBlock {
  readonly bytes: Buffer
  /** With sequence numbers; of a compressed one both are what the index has for it. */
  readonly firstKey: Uint8Array
  readonly lastKey: Uint8Array
  /** What the index has for it, when there is one: its last key, or a shorter one before the next block. */
  readonly indexKey?: Uint8Array
  /** In it; 0 when it is compressed. */
  readonly values: number
}

export interface DataBlocks {
  readonly blocks: readonly TableBlock[]
  /** Where the data ends. */
  readonly end: number
  /** Whether there are no others in the table. */
  readonly isWhole: boolean
}

interface IndexEntry {
  readonly offset: number
  readonly size: number
  readonly lastKey: Uint8Array
}

/**
 * The blocks of entries that can be read, in their order.
 *
 * Those that the index names, when the index can be had, with one byte mended where need be: else all from the first
 * byte on. A block of which one byte was changed is mended when its keys and seals say that it is right then.
 *
 * @param sealed - values carry seals
 */
export function readDataBlocks(table: Buffer, sealed: boolean): DataBlocks {
  const index = findIndex(table)
  return index ? readIndexed(table, index, sealed) : readInOrder(table, sealed)
}

/** The filter that stands behind the data, mended if need be; `undefined` when there is none that fits. */
export function readFilter(table: Buffer, dataEnd: number): Buffer | undefined {
  const end = findFilterEnd(table, dataEnd)
  return end === undefined
    ? undefined
    : mendBlock(table.subarray(dataEnd, end), (content) => isFilterOf(content, dataEnd))
}

/** The block with one byte changed so that it fits its CRC and the judge, or as it is when it does already. */
function mendBlock(block: Buffer, judge: (content: Buffer) => boolean): Buffer | undefined {
  const isRight = (bytes: Buffer) => isKnownKind(bytes) && judge(bytes.subarray(0, -TRAILER_BYTES))
  if (fitsChecksum(block)) return isRight(block) ? block : undefined
  for (const { at, bits } of findByteErrors(block)) {
    const mended = Buffer.from(block)
    mended[at] = (mended[at] ?? 0) ^ bits
    if (isRight(mended)) return mended
  }
  return undefined
}

function readIndexed(table: Buffer, index: readonly IndexEntry[], sealed: boolean): DataBlocks {
  const blocks: TableBlock[] = []
  let previous: Uint8Array | undefined
  let end = 0
  for (const { offset, size, lastKey } of index) {
    end = offset + size + TRAILER_BYTES
    const block = table.subarray(offset, end)
    const bytes = keepBlock(block, { after: previous, upTo: lastKey, sealed })
    previous = lastKey
    if (!bytes) continue
    const keys = isCompressed(bytes) ? undefined : readKeys(bytes)
    const ends = { firstKey: keys?.[0] ?? lastKey, lastKey: keys?.at(-1) ?? lastKey }
    blocks.push({ bytes, ...ends, indexKey: lastKey, values: countValues(keys ?? []) })
  }
  return { blocks, end, isWhole: blocks.length === index.length }
}

function readInOrder(table: Buffer, sealed: boolean): DataBlocks {
  const blocks: TableBlock[] = []
  let at = 0
  let isWhole = true
  for (;;) {
    const checked = findBlockEnd(table, at)
    const end = checked ?? findEndByEntries(table, at)
    // Of what is neither a block nor looks like one, nothing says where the next begins.
    if (end === undefined) return { blocks, end: at, isWhole: false }
    const block = table.subarray(at, end)
    const after = blocks.at(-1)?.lastKey
    const bytes = keepBlock(block, { after, sealed })
    const keys = bytes && !isCompressed(bytes) ? readKeys(bytes) : undefined
    const [firstKey, lastKey] = [keys?.[0], keys?.at(-1)]
    if (bytes && keys && firstKey && lastKey) blocks.push({ bytes, firstKey, lastKey, values: countValues(keys) })
    // The first that holds no entries is the filter, or what stands for it.
    else if (checked !== undefined) return { blocks, end: at, isWhole: isWhole && !isCompressed(block) }
    else isWhole = false
    at = end
  }
}

interface Expectation {
  readonly after: Uint8Array | undefined
  readonly upTo?: Uint8Array
  readonly sealed: boolean
}

function keepBlock(block: Buffer, { after, upTo, sealed }: Expectation): Buffer | undefined {
  if (fitsChecksum(block)) return isCompressed(block) || readKeys(block) ? block : undefined
  const mended = mendBlock(block, (content) => {
    const keys = listKeys(content)
    const [first, last] = [keys?.[0], keys?.at(-1)]
    if (!first || !last) return false
    if ((after && compareInternal(after, first) >= 0) || (upTo && compareInternal(last, upTo) > 0)) return false
    return !sealed || hasSoundValues(content)
  })
  if (mended) return mended
  try {
    // A single large value that is damaged: its table may keep it, its reader names it.
    checkEntries(block, 0)
    return readKeys(block) ? block : undefined
  } catch (error) {
    if (error instanceof TableError) return undefined
    throw error
  }
}

/** From the footer, or where it lies last in the file; `undefined` when there is none that fits. */
function findIndex(table: Buffer): IndexEntry[] | undefined {
  const named = readIndexHandle(table)
  const found = named && readIndexAt(table, named.offset, named.offset + named.size + TRAILER_BYTES)
  if (found) return found
  let last: IndexEntry[] | undefined
  for (let at = 0; at < table.length; ) {
    const end = findBlockEnd(table, at) ?? findEndByEntries(table, at)
    if (end === undefined) break
    // Entries of other blocks are larger than places: this is quick.
    if (fitsChecksum(table.subarray(at, end))) last = readIndexAt(table, at, end) ?? last
    at = end
  }
  return last
}

function readIndexHandle(table: Buffer): { readonly offset: number; readonly size: number } | undefined {
  if (table.length < FOOTER_BYTES) return undefined
  const reader = new VarintReader(table.subarray(-FOOTER_BYTES))
  try {
    const [, , offset, size] = [reader.next(), reader.next(), reader.next(), reader.next()]
    return { offset, size }
  } catch (error) {
    if (error instanceof TableError) return undefined
    throw error
  }
}

/** Blocks without a gap from the first byte on: nothing but an index has such entries. */
function readIndexAt(table: Buffer, at: number, end: number): IndexEntry[] | undefined {
  if (end > table.length || end - at < TRAILER_BYTES + 8) return undefined
  let entries: IndexEntry[] | undefined
  const judge = (content: Buffer): boolean => {
    entries = parseIndex(content, at)
    return entries !== undefined
  }
  return mendBlock(table.subarray(at, end), judge) && entries
}

function parseIndex(content: Buffer, limit: number): IndexEntry[] | undefined {
  const entries: IndexEntry[] = []
  let next = 0
  const isParsed = tryVisit(content, (lastKey, valueOffset, valueBytes) => {
    const reader = new VarintReader(content.subarray(valueOffset, valueOffset + valueBytes))
    const offset = reader.next()
    const size = reader.next()
    const previous = entries.at(-1)
    if (reader.position !== valueBytes || offset !== next || !isKey(lastKey)) throw new TableError('no index')
    if (previous && compareInternal(previous.lastKey, lastKey) >= 0) throw new TableError('no index')
    next = offset + size + TRAILER_BYTES
    if (next > limit) throw new TableError('no index')
    entries.push({ offset, size, lastKey: Uint8Array.from(lastKey) })
  })
  return isParsed && entries.length > 0 ? entries : undefined
}

/** Where the CRC of a block at `at` fits; `undefined` when it does nowhere. */
function findBlockEnd(table: Buffer, at: number): number | undefined {
  const last = table.length - 4
  let crc = -1
  for (let i = at; i < last; i++) {
    const byte = table[i] ?? 0
    crc = advanceCrc(crc, byte)
    // The last byte of what a CRC covers is the kind.
    if (byte > MAX_BLOCK_KIND || i < at + 8 || maskCrc(~crc >>> 0) !== table.readUInt32LE(i + 1)) continue
    const end = i + TRAILER_BYTES
    if (isPlausible(table.subarray(at, end))) return end
  }
  return undefined
}

/** Of the four thousand million CRCs one fits by chance: it must look like a block, too. */
function isPlausible(block: Buffer): boolean {
  if (isCompressed(block)) return true
  const content = block.subarray(0, -TRAILER_BYTES)
  return tryVisit(content, () => undefined) || isFilter(content)
}

/** Filters, the offset of each, where the offsets begin, and LevelDB's 11. */
function isFilter(content: Buffer): boolean {
  const offsetsEnd = content.length - 5
  if (offsetsEnd < 0 || content[content.length - 1] !== FILTER_BASE) return false
  const offsetsAt = content.readUInt32LE(offsetsEnd)
  return offsetsAt <= offsetsEnd && (offsetsEnd - offsetsAt) % 4 === 0
}

/** It has one for each 2^11 bytes of data, in which a block may begin. */
function isFilterOf(content: Buffer, dataEnd: number): boolean {
  if (!isFilter(content)) return false
  const offsetsEnd = content.length - 5
  const count = (offsetsEnd - content.readUInt32LE(offsetsEnd)) / 4
  return Math.abs(count - Math.floor(dataEnd / 2 ** FILTER_BASE)) <= 1
}

/** Where its CRC fits, else where the footer says that the metaindex begins. */
function findFilterEnd(table: Buffer, at: number): number | undefined {
  const checked = findBlockEnd(table, at)
  if (checked !== undefined) return checked
  const reader = new VarintReader(table.subarray(-FOOTER_BYTES))
  try {
    const metaindexAt = reader.next()
    return metaindexAt > at && metaindexAt < table.length ? metaindexAt : undefined
  } catch (error) {
    if (error instanceof TableError) return undefined
    throw error
  }
}

/** The same where the CRC does not fit: behind an entry stand the restarts that these entries need. */
function findEndByEntries(table: Buffer, at: number): number | undefined {
  let entries = 0
  let position = at
  try {
    while (position < table.length) {
      const reader = new VarintReader(table.subarray(position, position + MAX_ENTRY_HEAD_BYTES))
      const shared = reader.next()
      const own = reader.next()
      if (own > MAX_TABLE_KEY_BYTES || (entries === 0 && shared !== 0)) return undefined
      position += reader.next() + own + reader.position
      entries++
      const restarts = Math.ceil(entries / ENTRIES_PER_RESTART)
      const end = position + 4 * restarts + 4 + TRAILER_BYTES
      if (end > table.length) return undefined
      const isEnd = table.readUInt32LE(position) === 0 && table.readUInt32LE(position + 4 * restarts) === restarts
      if (isEnd) return end
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error
  }
  return undefined
}

function isCompressed(block: Buffer): boolean {
  return block[block.length - TRAILER_BYTES] === 1
}

function isKnownKind(block: Buffer): boolean {
  return (block[block.length - TRAILER_BYTES] ?? 0) <= MAX_BLOCK_KIND
}

/** Keys of a block with its trailer; `undefined` when it holds no entries, or others than a table does. */
function readKeys(block: Buffer): Uint8Array[] | undefined {
  return listKeys(block.subarray(0, -TRAILER_BYTES))
}

function listKeys(content: Buffer): Uint8Array[] | undefined {
  const keys: Uint8Array[] = []
  const isParsed = tryVisit(content, (key) => {
    const previous = keys.at(-1)
    if (!isKey(key) || (previous && compareInternal(previous, key) >= 0)) throw new TableError('no key of LevelDB')
    keys.push(Uint8Array.from(key))
  })
  return isParsed && keys.length > 0 ? keys : undefined
}

function hasSoundValues(content: Buffer): boolean {
  let isSound = true
  tryVisit(content, (key, valueOffset, valueBytes) => {
    if (key[key.length - SEQUENCE_BYTES] !== TYPE_VALUE) return
    const value = content.subarray(valueOffset, valueOffset + valueBytes)
    if (valueBytes < SEAL_BYTES || !openValue(value)) isSound = false
  })
  return isSound
}

function tryVisit(content: Buffer, visit: Parameters<typeof visitEntries>[1]): boolean {
  try {
    visitEntries(content, visit)
    return true
  } catch (error) {
    if (error instanceof TableError) return false
    throw error
  }
}

function countValues(keys: readonly Uint8Array[]): number {
  return keys.filter((key) => key[key.length - SEQUENCE_BYTES] === TYPE_VALUE).length
}

function isKey(key: Uint8Array): boolean {
  return key.length >= SEQUENCE_BYTES && (key[key.length - SEQUENCE_BYTES] ?? 0) <= TYPE_VALUE
}

/** By key, newest first. */
function compareInternal(a: Uint8Array, b: Uint8Array): number {
  const byKey = compareBytes(a.subarray(0, -SEQUENCE_BYTES), b.subarray(0, -SEQUENCE_BYTES))
  return byKey || compareBytes(b.slice(-SEQUENCE_BYTES).reverse(), a.slice(-SEQUENCE_BYTES).reverse())
}
