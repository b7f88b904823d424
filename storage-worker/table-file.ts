import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32c, maskCrc } from './crc32c.ts'
import { openValue, SEAL_BYTES } from './sealed-value.ts'

/*
 * LevelDB's table files, checked from outside (leveldb doc/table_format.md). LevelDB itself ends the process on some
 * damaged tables: it asserts that keys have their 8 bytes of sequence number. So what is not a sound table must not
 * reach it.
 */

export const FOOTER_BYTES = 48
export const MAGIC = 0xdb4775248b80fb57n
/** type and CRC behind each block */
export const TRAILER_BYTES = 5
/** Smaller blocks hold many keys; larger ones single values, nearly all of their bytes. */
const SINGLE_VALUES_FROM_BYTES = 64 * 1024
/** Behind each key: kind of the entry, 56 bits of sequence number. */
export const SEQUENCE_BYTES = 8
/** Of a key with these behind it. Ours are shorter, and so is what index blocks make of two of them. */
export const MAX_TABLE_KEY_BYTES = 256

export interface BlockHandle {
  readonly offset: number
  readonly size: number
}

interface Entry {
  readonly key: Uint8Array
  readonly valueOffset: number
  readonly valueBytes: number
}

/** Bytes of a block. */
type ReadPart = (offset: number, length: number) => Buffer

export class TableError extends Error {}

/** Nothing depends on these bytes: a table with this damage alone is read as any other. */
const PADDING_DAMAGED = 'bytes behind the handles of the footer'

/** Whether LevelDB may read a table that is damaged so. */
export function isBearable(reason: string): boolean {
  return reason === PADDING_DAMAGED
}

/**
 * Why LevelDB must not read this table; `undefined` when it may.
 *
 * @param thorough - hold every block against its CRC, some 30 ms per 32 MiB file; else look at footer and index only
 */
export function findTableDamage(path: string, thorough: boolean): string | undefined {
  const file = openSync(path, 'r')
  try {
    new Table(file).check(thorough)
    return undefined
  } catch (error) {
    return wrapTableError(error)
  } finally {
    closeSync(file)
  }
}

/** What is wrong with a table, from what reading it threw; throws what is no matter of the table. */
export function wrapTableError(error: unknown): string {
  if (error instanceof TableError) return error.message
  // A disk that does not give the bytes back.
  if ((error as NodeJS.ErrnoException).code === 'EIO') return 'cannot be read'
  throw error
}

/** @param file - descriptor of a table file, open for reading */
export function openTable(file: number): Table {
  return new Table(file)
}

/**
 * Names of damaged table files in the folder of a database, with the reasons.
 *
 * @param live - numbers of the files to look at: a table that is being written is no table yet
 */
export function findDamagedTables(
  folder: string,
  live: { has(number: number): boolean } | undefined,
  thorough: boolean,
): { name: string; reason: string }[] {
  const damaged: { name: string; reason: string }[] = []
  for (const name of listTableFiles(folder, live)) {
    try {
      const reason = findTableDamage(join(folder, name), thorough)
      if (reason) damaged.push({ name, reason })
    } catch (error) {
      // A compaction deleted it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return damaged
}

/** Names of table files in a folder. @param live - numbers of the files that count; absent: all */
export function listTableFiles(folder: string, live: { has(number: number): boolean } | undefined): string[] {
  return readNames(folder).filter((name) => {
    const number = /^(\d+)\.(ldb|sst)$/.exec(name)?.[1]
    return number !== undefined && live?.has(Number(number)) !== false
  })
}

/** A thorough look at one table; `undefined` when a compaction deleted it. */
export function checkTableFile(path: string): { readonly sizeBytes: number; readonly reason?: string } | undefined {
  try {
    const { size: sizeBytes } = statSync(path)
    const reason = findTableDamage(path, true)
    return reason === undefined ? { sizeBytes } : { sizeBytes, reason }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

class Table {
  private readonly file: number
  private readonly sizeBytes: number
  private metaindex: BlockHandle | undefined
  private isPadded = true

  constructor(file: number) {
    this.file = file
    this.sizeBytes = fstatSync(file).size
  }

  check(thorough: boolean): void {
    const blocks = this.listBlocks()
    if (!thorough) return
    this.checkFilter()
    for (const { handle } of blocks) this.checkEntries(handle)
    this.checkPadding()
  }

  /** Held against the footer that was read last. */
  checkPadding(): void {
    if (!this.isPadded) throw new TableError(PADDING_DAMAGED)
  }

  /** Blocks that hold entries, each with a key not below its last one and below the first of the next. */
  listBlocks(): { readonly handle: BlockHandle; readonly lastKey: Uint8Array }[] {
    return this.readHandles(this.readFooter())
  }

  /** Where the index of blocks lies. */
  private readFooter(): BlockHandle {
    if (this.sizeBytes < FOOTER_BYTES) throw new TableError('shorter than a footer')
    const footer = this.read(this.sizeBytes - FOOTER_BYTES, FOOTER_BYTES)
    if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) throw new TableError('no magic number at the end')
    const reader = new VarintReader(footer)
    this.metaindex = this.bound({ offset: reader.next(), size: reader.next() })
    const index = this.bound({ offset: reader.next(), size: reader.next() })
    this.isPadded = footer.subarray(reader.position, FOOTER_BYTES - 8).every((byte) => byte === 0)
    return index
  }

  /** Checks the Bloom filter: a bit that it lost hides a value from every reader. */
  checkFilter(): void {
    if (!this.metaindex) return
    for (const { handle } of this.readHandles(this.metaindex)) this.readChecked(handle)
  }

  private readHandles(block: BlockHandle): { readonly handle: BlockHandle; readonly lastKey: Uint8Array }[] {
    const content = this.readChecked(block)
    const handles: { readonly handle: BlockHandle; readonly lastKey: Uint8Array }[] = []
    visitEntries(content, (lastKey, valueOffset, valueBytes) => {
      const handle = readHandle(content.subarray(valueOffset, valueOffset + valueBytes))
      handles.push({ handle: this.bound(handle), lastKey })
    })
    return handles
  }

  /** Without their sequence numbers; `undefined` when the table has no entries. Looks at a few entries alone. */
  readKeyRange(): { readonly first: Uint8Array; readonly last: Uint8Array } | undefined {
    const content = this.readChecked(this.readFooter())
    const read = (offset: number, length: number) => content.subarray(offset, offset + length)
    const locate = ({ valueOffset, valueBytes }: Entry) => this.bound(readHandle(read(valueOffset, valueBytes)))
    const head = findFirstEntry(read, content.length)
    const tail = findLastEntry(read, content.length)
    const firstBlock = head && locate(head)
    const lastBlock = tail && locate(tail)
    const first = firstBlock && findFirstEntry(this.readerOf(firstBlock), firstBlock.size)?.key
    const last = lastBlock && findLastEntry(this.readerOf(lastBlock), lastBlock.size)?.key
    return first && last && { first: first.subarray(0, -SEQUENCE_BYTES), last: last.subarray(0, -SEQUENCE_BYTES) }
  }

  private readerOf(block: BlockHandle): ReadPart {
    return (offset, length) => this.read(block.offset + offset, length)
  }

  /** Checks a block of entries; see `checkEntries`. */
  checkEntries({ offset, size }: BlockHandle): void {
    checkEntries(this.read(offset, size + TRAILER_BYTES), offset)
  }

  private readChecked({ offset, size }: BlockHandle): Buffer {
    const bytes = this.read(offset, size + TRAILER_BYTES)
    if (!fitsChecksum(bytes)) throw wrongChecksum(offset)
    return bytes.subarray(0, size)
  }

  private bound(handle: BlockHandle): BlockHandle {
    if (handle.offset + handle.size + TRAILER_BYTES > this.sizeBytes) throw new TableError('a block beyond the end')
    return handle
  }

  private read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    if (readSync(this.file, bytes, 0, length, offset) !== length) throw new TableError('shorter than it says')
    return bytes
  }
}

/**
 * Holds a block of entries against its CRC.
 *
 * In a large one a value that does not fit its seal explains the difference: it is damaged, the table is not. Whoever
 * reads it names it, and writing it anew mends it, while the table keeps the old one until it is compacted.
 *
 * @param block - with its trailer
 * @throws TableError
 */
export function checkEntries(block: Buffer, offset: number): void {
  if (fitsChecksum(block)) return
  const content = block.subarray(0, -TRAILER_BYTES)
  const kind = block[content.length]
  if (content.length > SINGLE_VALUES_FROM_BYTES && kind === 0 && hasDamagedValue(content)) return
  throw wrongChecksum(offset)
}

function hasDamagedValue(content: Buffer): boolean {
  let isFound = false
  let isSequenced = true
  visitEntries(content, (key, valueOffset, valueBytes) => {
    if (key.length < SEQUENCE_BYTES) isSequenced = false
    // Shorter ones carry no seal.
    if (isFound || valueBytes < SEAL_BYTES) return
    isFound = openValue(content.subarray(valueOffset, valueOffset + valueBytes)) === undefined
  })
  return isFound && isSequenced
}

/** @param block - with its trailer */
export function fitsChecksum(block: Buffer): boolean {
  return maskCrc(crc32c(block.subarray(0, -4))) === block.readUInt32LE(block.length - 4)
}

function wrongChecksum(offset: number): TableError {
  return new TableError(`the checksum of the block at ${offset} does not fit`)
}

/**
 * Walks the entries of a block and refuses those whose lengths do not add up to the restart array.
 *
 * @param visit - the key with its sequence number, a view of the block where it stands whole there
 */
export function visitEntries(
  block: Buffer,
  visit: (key: Uint8Array, valueOffset: number, valueBytes: number) => void,
): void {
  const { end, restarts } = boundEntries((offset, length) => block.subarray(offset, offset + length), block.length)
  const reader = new VarintReader(block, end)
  let key: Uint8Array = new Uint8Array(0)
  let restart = 0
  while (reader.position < end) {
    if (restart < restarts && block.readUInt32LE(end + 4 * restart) === reader.position) restart++
    const shared = reader.next()
    const own = reader.next()
    const valueBytes = reader.next()
    const valueOffset = reader.position + own
    if (shared > key.length || own > MAX_TABLE_KEY_BYTES || valueOffset + valueBytes > end) throw tooLong()
    const rest = block.subarray(reader.position, valueOffset)
    key = shared === 0 ? rest : Buffer.concat([key.subarray(0, shared), rest])
    reader.position = valueOffset + valueBytes
    visit(key, valueOffset, valueBytes)
  }
  // They ascend: one at which no entry begins stops the count.
  if (end > 0 && restart < restarts) throw new TableError('a restart between entries')
}

function boundEntries(read: ReadPart, blockBytes: number): { readonly end: number; readonly restarts: number } {
  if (blockBytes < 4) throw new TableError('a block without restarts')
  const restarts = read(blockBytes - 4, 4).readUInt32LE(0)
  const end = blockBytes - 4 - 4 * restarts
  if (restarts < 1 || end < 0) throw new TableError('a block with too many restarts')
  return { end, restarts }
}

/** `undefined` when the block has no entries; what lies behind the first is not looked at. */
function findFirstEntry(read: ReadPart, blockBytes: number): Entry | undefined {
  const { end } = boundEntries(read, blockBytes)
  return end === 0 ? undefined : readEntry(read, { at: 0, end })
}

/** From the last restart on, where a key stands whole; what lies before is not looked at. */
function findLastEntry(read: ReadPart, blockBytes: number): Entry | undefined {
  const { end } = boundEntries(read, blockBytes)
  let last: Entry | undefined
  for (let at = end && read(blockBytes - 8, 4).readUInt32LE(0); at < end; ) {
    last = readEntry(read, { at, end }, last?.key)
    at = last.valueOffset + last.valueBytes
  }
  return last
}

function readEntry(
  read: ReadPart,
  { at, end }: { at: number; end: number },
  previous: Uint8Array = new Uint8Array(0),
): Entry {
  const head = read(at, Math.min(3 * 5 + MAX_TABLE_KEY_BYTES, end - at))
  const reader = new VarintReader(head)
  const shared = reader.next()
  const own = reader.next()
  const valueBytes = reader.next()
  const valueOffset = at + reader.position + own
  if (shared > previous.length || own > MAX_TABLE_KEY_BYTES || valueOffset + valueBytes > end) throw tooLong()
  const rest = head.subarray(reader.position, reader.position + own)
  return { key: Buffer.concat([previous.subarray(0, shared), rest]), valueOffset, valueBytes }
}

function tooLong(): TableError {
  return new TableError('an entry longer than its block')
}

/** LevelDB's numbers, one behind the other. */
export class VarintReader {
  position = 0
  private readonly bytes: Uint8Array
  private readonly end: number

  constructor(bytes: Uint8Array, end = bytes.length) {
    this.bytes = bytes
    this.end = end
  }

  /** @throws TableError */
  next(): number {
    let value = 0
    for (let shift = 0; shift < 64 && this.position < this.end; shift += 7) {
      const byte = this.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new TableError('a number that does not end')
  }
}

function readHandle(bytes: Uint8Array): BlockHandle {
  const reader = new VarintReader(bytes)
  return { offset: reader.next(), size: reader.next() }
}
