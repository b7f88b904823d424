import { closeSync, openSync, readSync } from 'node:fs'
import { compareBytes } from '../core/bytes.ts'
import { SequenceWatch } from './sequence-watch.ts'
import {
  type BlockHandle,
  checkEntries,
  MAX_TABLE_KEY_BYTES,
  openTable,
  TableError,
  TRAILER_BYTES,
  wrapTableError,
} from './table-file.ts'

/*
 * Values of a LevelDB table, read where they lie: one copy from the page cache, where LevelDB's own reads make three.
 */

/** Blocks are read together up to here: it stays in the second-level cache while it is hashed. */
const RUN_BYTES = 512 * 1024
const SEQUENCE_BYTES = 8
/** LevelDB's kTypeValue and kTypeDeletion. */
const TYPE_VALUE = 1
const TYPE_DELETION = 0

export interface TableRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

/** Views are overwritten after the call. `value` is `undefined` for a deletion. */
export type VisitEntry = (key: Uint8Array, value: Uint8Array | undefined) => void

/**
 * Visits all entries of a table that may lie in `range`, and some before and after it, in the order of keys.
 *
 * Values are not looked at, the caller knows their hashes. All else is held against the CRC of its block when it is in
 * doubt: when the block holds many entries, or one whose sequence number does not continue that of a neighbour.
 *
 * @param thorough - hold every block against its CRC, at some 1.5 GB/s: else a flipped bit of the CRC of a block, which
 *   nothing else depends on, is not found
 * @returns what is wrong with this table; all was visited when it `isBearable`
 * @throws what `open` and `read` throw, ENOENT when a compaction deleted it
 */
export function scanTable(path: string, range: TableRange, visit: VisitEntry, thorough = false): string | undefined {
  const file = openSync(path, 'r')
  try {
    const table = openTable(file)
    const blocks = pickBlocks(table.listBlocks(), range)
    table.checkFilter()
    const scan = new Scan(file, visit, thorough)
    scan.run(blocks.map(({ handle }) => handle))
    for (const handle of scan.listDoubtful()) table.checkEntries(handle)
    table.checkPadding()
    return undefined
  } catch (error) {
    return wrapTableError(error)
  } finally {
    closeSync(file)
  }
}

type BlockEnd = ReturnType<ReturnType<typeof openTable>['listBlocks']>[number]

/** Those that may hold something of a range: keys of a block lie above the last key of the one before. */
function pickBlocks(blocks: readonly BlockEnd[], { gte, lt }: TableRange): readonly BlockEnd[] {
  return blocks.slice(countBelow(blocks, gte), countBelow(blocks, lt) + 1)
}

/** Of ascending blocks, how many end below `key`. */
function countBelow(blocks: readonly BlockEnd[], key: Uint8Array): number {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const last = blocks[middle]?.lastKey.subarray(0, -SEQUENCE_BYTES)
    if (last && compareBytes(last, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The first and the last key of a table; `undefined` when it is damaged, empty or was deleted by a compaction. */
export function readKeyRange(path: string): { readonly first: Uint8Array; readonly last: Uint8Array } | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return openTable(file).readKeyRange()
  } catch (error) {
    wrapTableError(error)
    return undefined
  } finally {
    closeSync(file)
  }
}

class Scan {
  private static buffer = Buffer.allocUnsafeSlow(3 * RUN_BYTES)
  private readonly file: number
  private readonly visit: VisitEntry
  private readonly thorough: boolean
  private readonly key = new Uint8Array(MAX_TABLE_KEY_BYTES)
  private readonly keyView = new DataView(this.key.buffer)
  private readonly watch = new SequenceWatch<BlockHandle>()

  constructor(file: number, visit: VisitEntry, thorough: boolean) {
    this.file = file
    this.visit = visit
    this.thorough = thorough
  }

  /** Blocks whose CRC has to say whether they are as they were written. */
  listDoubtful(): Iterable<BlockHandle> {
    return this.thorough ? [] : this.watch.finish()
  }

  run(blocks: readonly BlockHandle[]): void {
    for (let first = 0; first < blocks.length; ) {
      const start = blocks[first]?.offset ?? 0
      let end = start
      let next = first
      for (let block = blocks[next]; block; block = blocks[++next]) {
        const blockEnd = block.offset + block.size + TRAILER_BYTES
        if (next > first && (block.offset < end || blockEnd - start > RUN_BYTES)) break
        end = blockEnd
      }
      const bytes = this.read(start, end - start)
      for (; first < next; first++) {
        const block = blocks[first]
        if (!block) break
        const at = block.offset - start
        // The byte behind a block: its kind, 0 for uncompressed.
        if (bytes[at + block.size] !== 0) throw new TableError(`block of kind ${bytes[at + block.size]}`)
        if (this.thorough) checkEntries(bytes.subarray(at, at + block.size + TRAILER_BYTES), block.offset)
        this.walk(bytes.subarray(at, at + block.size), block)
      }
    }
  }

  private read(offset: number, length: number): Buffer {
    if (Scan.buffer.length < length) Scan.buffer = Buffer.allocUnsafeSlow(length)
    if (readSync(this.file, Scan.buffer, 0, length, offset) !== length) throw new TableError('shorter than it says')
    return Scan.buffer.subarray(0, length)
  }

  private walk(block: Buffer, handle: BlockHandle): void {
    if (block.length < 4) throw new TableError('a block without restarts')
    const restarts = block.readUInt32LE(block.length - 4)
    const end = block.length - 4 - 4 * restarts
    if (restarts < 1 || end < 0) throw new TableError('a block with too many restarts')
    const { key, keyView, watch } = this
    // Many small entries: a restart among them could point to another one than it should.
    if (restarts > 1) watch.doubt(handle)
    let keyBytes = 0
    let restart = 0
    let at = 0
    const readVarint = (): number => {
      let value = 0
      for (let shift = 0; shift < 35; shift += 7) {
        const byte = at < end ? (block[at++] ?? 0) : 0x80
        value += (byte & 0x7f) * 2 ** shift
        if (byte < 0x80) return value
      }
      throw new TableError('a number that does not end')
    }
    while (at < end) {
      if (restart < restarts && block.readUInt32LE(end + 4 * restart) === at) restart++
      const shared = readVarint()
      const own = readVarint()
      const valueBytes = readVarint()
      const valueAt = at + own
      if (shared > keyBytes || shared + own > MAX_TABLE_KEY_BYTES || valueAt + valueBytes > end) {
        throw new TableError('an entry longer than its block')
      }
      key.set(block.subarray(at, valueAt), shared)
      keyBytes = shared + own
      const userBytes = keyBytes - SEQUENCE_BYTES
      if (userBytes < 0) throw new TableError('a key without sequence number')
      at = valueAt + valueBytes
      const type = key[userBytes]
      if (type !== TYPE_VALUE && type !== TYPE_DELETION) throw new TableError(`an entry of kind ${type}`)
      watch.take(readSequence(keyView, userBytes + 1), handle)
      this.visit(key.subarray(0, userBytes), type === TYPE_VALUE ? block.subarray(valueAt, at) : undefined)
    }
    if (end > 0 && restart < restarts) throw new TableError('a restart between entries')
  }
}

/** 56 bits: those that a double cannot hold are no number that LevelDB gave. */
function readSequence(key: DataView, at: number): number {
  return key.getUint32(at, true) + (key.getUint16(at + 4, true) + key.getUint8(at + 6) * 0x1_0000) * 2 ** 32
}
