import { sha256 } from '#sha256'
import { concatBytes, toHex } from '../bytes.ts'
import { ByteReader, ByteWriter } from '../codec.ts'
import { computeLeafHash, computeTreeRoot, HASH_BYTES } from '../merkle.ts'
import { ERA_PERIODS, type Period } from '../units.ts'
import { FILE_HEAD_BYTES, MAX_FILE_PERIODS } from './file-head.ts'
import { fileError, RECORD_OVERHEAD_BYTES, RecordReader } from './file-record.ts'

const FILE_ROOT_PREFIX = 0x07
const MAGIC = 'massa-archive/1\n'
const TRAILER_PAYLOAD_BYTES = MAGIC.length + 8 + 8 + 4 + HASH_BYTES
const ENTRY_BYTES = 8 + 4 + HASH_BYTES
const ERA_ENTRY_BYTES = 8 + 8 + 4
/** u64 first || u32 periods || u32 eras */
const INDEX_HEAD_BYTES = 16
const ROOT_DIGITS_IN_NAME = 8

/** Bytes of the last record, with which a file ends. */
export const TRAILER_BYTES = RECORD_OVERHEAD_BYTES + TRAILER_PAYLOAD_BYTES

/** Where something stands in a file. */
export interface FilePlace {
  readonly offset: number
  readonly length: number
}

/** The records of a period: manifest, chunks, SEALS, execution results. */
export interface PeriodPlace extends FilePlace {
  readonly period: Period
  /** 32 bytes, of the period */
  readonly root: Uint8Array
}

export interface EraPlace extends FilePlace {
  readonly era: number
}

export interface ArchiveFileIndex {
  /** Ascending, one behind the other. */
  readonly periods: readonly PeriodPlace[]
  /** Ascending; of those that the file holds all periods of. */
  readonly eras: readonly EraPlace[]
}

export interface ArchiveFileTrailer {
  readonly fileBytes: number
  readonly index: FilePlace
  /** 32 bytes, see `computeFileRoot` */
  readonly root: Uint8Array
}

/** 32 bytes: H(0x07 || tree over the period roots), with the leaf hash H(0x00 || period root). */
export function computeFileRoot(periodRoots: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(FILE_ROOT_PREFIX), computeTreeRoot(periodRoots.map(computeLeafHash))))
}

/** `massa-<network>-<first>-<last>-<first 8 hex digits of the root>.mhs`; @param network - its name */
export function formatFileName(network: string, range: { first: Period; last: Period }, root: Uint8Array): string {
  return `massa-${network}-${range.first}-${range.last}-${toHex(root).slice(0, ROOT_DIGITS_IN_NAME)}.mhs`
}

/**
 * u64 first || u32 periods || u32 eras || per period u64 offset || u32 length || root || per era u64 era || u64 offset ||
 * u32 length
 *
 * @param index.periods - at least one
 */
export function encodeFileIndex({ periods, eras }: ArchiveFileIndex): Uint8Array {
  const writer = new ByteWriter(INDEX_HEAD_BYTES + periods.length * ENTRY_BYTES + eras.length * ERA_ENTRY_BYTES)
  writer
    .u64(BigInt(periods[0]?.period ?? 0))
    .u32(periods.length)
    .u32(eras.length)
  for (const { offset, length, root } of periods) writer.u64(BigInt(offset)).u32(length).raw(root)
  for (const { era, offset, length } of eras) writer.u64(BigInt(era)).u64(BigInt(offset)).u32(length)
  return writer.finish()
}

/**
 * The index, held against the trailer that names it.
 *
 * @param bytes - the whole record
 * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID
 */
export function parseFileIndex(bytes: Uint8Array, trailer: ArchiveFileTrailer): ArchiveFileIndex {
  const { offset: at } = trailer.index
  const place = { record: 'index', offset: at }
  const records = new RecordReader(bytes, at)
  const payload = records.read('index')
  const reader = new ByteReader(payload, 'CORE_ARCHIVE_FILE_INVALID')
  if (!records.isAtEnd || payload.length < INDEX_HEAD_BYTES) throw fileError(place, `has ${payload.length} bytes`)
  const first = Number(reader.u64())
  const [count, eraCount] = [reader.u32(), reader.u32()]
  if (count < 1 || count > MAX_FILE_PERIODS || eraCount > count || !Number.isSafeInteger(first + count)) {
    throw fileError(place, `is of ${count} periods from ${first} on and ${eraCount} eras`)
  }
  if (reader.remaining !== count * ENTRY_BYTES + eraCount * ERA_ENTRY_BYTES) {
    throw fileError(place, `has ${payload.length} bytes for ${count} periods and ${eraCount} eras`)
  }
  const readOffset = () => ({ offset: Number(reader.u64()), length: reader.u32() })
  const periods = Array.from(
    { length: count },
    (_, i): PeriodPlace => ({ period: first + i, ...readOffset(), root: reader.raw(HASH_BYTES) }),
  )
  const eras = Array.from({ length: eraCount }, (): EraPlace => ({ era: Number(reader.u64()), ...readOffset() }))
  if (!isContiguous({ periods, eras }, at)) throw fileError(place, 'does not name what stands in the file')
  const root = computeFileRoot(periods.map((each) => each.root))
  if (toHex(root) !== toHex(trailer.root)) throw fileError(place, 'has other periods than the root of the file')
  return { periods, eras }
}

/** Whether every byte before the index has its place: identity, then each period, and an era behind its last one. */
function isContiguous({ periods, eras }: ArchiveFileIndex, indexOffset: number): boolean {
  let at = FILE_HEAD_BYTES
  let next = 0
  for (const [i, { period, offset, length }] of periods.entries()) {
    if (offset !== at) return false
    at += length
    if (i + 1 < ERA_PERIODS || (period + 1) % ERA_PERIODS !== 0) continue
    const era = eras[next++]
    if (era?.era !== Math.floor(period / ERA_PERIODS) || era.offset !== at) return false
    at += era.length
  }
  return at === indexOffset && next === eras.length
}

/** The payload of the last record. */
export function encodeTrailer({ fileBytes, index, root }: ArchiveFileTrailer): Uint8Array {
  const writer = new ByteWriter(TRAILER_PAYLOAD_BYTES).raw(new TextEncoder().encode(MAGIC)).u64(BigInt(fileBytes))
  return writer.u64(BigInt(index.offset)).u32(index.length).raw(root).finish()
}

/**
 * @param bytes - the last `TRAILER_BYTES` of a file
 * @param fileBytes - how long that is
 * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID
 */
export function parseTrailer(bytes: Uint8Array, fileBytes: number): ArchiveFileTrailer {
  const at = fileBytes - TRAILER_BYTES
  const place = { record: 'trailer', offset: Math.max(0, at) }
  if (at < 0 || bytes.length !== TRAILER_BYTES) throw fileError(place, 'is cut off')
  const payload = new RecordReader(bytes, at).read('trailer')
  const reader = new ByteReader(payload, 'CORE_ARCHIVE_FILE_INVALID')
  if (payload.length !== TRAILER_PAYLOAD_BYTES || reader.utf8(reader.raw(MAGIC.length)) !== MAGIC) {
    throw fileError(place, 'is none')
  }
  const said = Number(reader.u64())
  if (said !== fileBytes) throw fileError(place, `is that of a file of ${said} bytes, and this one has ${fileBytes}`)
  const index = { offset: Number(reader.u64()), length: reader.u32() }
  if (index.offset + index.length !== at) throw fileError(place, 'names no index right before it')
  return { fileBytes, index, root: reader.raw(HASH_BYTES) }
}
