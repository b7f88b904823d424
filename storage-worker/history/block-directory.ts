import { type BlockFinder, BODY_HEAD_BYTES, ByteReader, ByteWriter, THREAD_COUNT } from '../../core/index.ts'

/** Where the block of a thread stands in BODY and in SEALS, in bytes from their beginning. */
export interface DirectoryEntry {
  readonly thread: number
  readonly start: number
  readonly end: number
  readonly sealsStart: number
  readonly sealsEnd: number
}

const MAX_OFFSET = 2 ** 32

/**
 * Where the blocks of a period stand, so that one is read without those before it:
 * per block u8 thread || vi start || vi bytes || vi start of its seals || vi their bytes.
 */
export function encodeDirectory(entries: ReadonlyMap<number, DirectoryEntry>): Uint8Array {
  const writer = new ByteWriter(512)
  for (const entry of entries.values()) writeEntry(writer, entry)
  return writer.finish()
}

/** Of one block: it stands beside each id too, so that who has an id reads no directory. */
export function encodeEntry(entry: DirectoryEntry): Uint8Array {
  return writeEntry(new ByteWriter(16), entry).finish()
}

function writeEntry(writer: ByteWriter, { thread, start, end, sealsStart, sealsEnd }: DirectoryEntry): ByteWriter {
  writer.u8(thread).varint(start)
  return writer
    .varint(end - start)
    .varint(sealsStart)
    .varint(sealsEnd - sealsStart)
}

/** Of BODY that was passed whole. */
export function listEntries(finder: BlockFinder): Map<number, DirectoryEntry> {
  const entries = new Map<number, DirectoryEntry>()
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const place = finder.placeOf(thread)
    if (place) entries.set(thread, { thread, ...place })
  }
  return entries
}

/** Where BODY says that a thread has no block: one byte. */
export function findFlag(entries: ReadonlyMap<number, DirectoryEntry>, thread: number): number {
  for (let before = thread - 1; before >= 0; before--) {
    const entry = entries.get(before)
    if (entry) return entry.end + (thread - before - 1)
  }
  return BODY_HEAD_BYTES + thread
}

/** @throws ArchiveError STORE_VALUE_CORRUPT */
export function parseDirectory(bytes: Uint8Array): Map<number, DirectoryEntry> {
  const reader = new ByteReader(bytes, 'STORE_VALUE_CORRUPT')
  const entries = new Map<number, DirectoryEntry>()
  while (reader.remaining > 0) {
    const entry = readEntry(reader)
    entries.set(entry.thread, entry)
  }
  return entries
}

/** @throws ArchiveError STORE_VALUE_CORRUPT */
export function parseEntry(bytes: Uint8Array): DirectoryEntry {
  return readEntry(new ByteReader(bytes, 'STORE_VALUE_CORRUPT'))
}

function readEntry(reader: ByteReader): DirectoryEntry {
  const thread = reader.u8()
  const start = reader.varintNumber(MAX_OFFSET)
  const end = start + reader.varintNumber(MAX_OFFSET)
  const sealsStart = reader.varintNumber(MAX_OFFSET)
  const sealsEnd = sealsStart + reader.varintNumber(MAX_OFFSET)
  if (thread >= THREAD_COUNT) throw reader.error(`thread ${thread} does not exist`)
  return { thread, start, end, sealsStart, sealsEnd }
}
