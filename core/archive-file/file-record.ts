import { crc32 } from '#crc32'
import { ByteReader, ByteWriter } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import type { Period } from '../units.ts'

/*
 * Records of an archive file (docs/FORMAT.md, Archive files): u8 type || u32 length || payload || u32 CRC-32 of all that
 * stands before it. The CRC finds and names what was damaged on its way; what ids and signatures bind is proven by these.
 */

/** What stands at the beginning of each record. */
export const FILE_RECORDS = {
  identity: 1,
  manifest: 2,
  chunk: 3,
  seals: 4,
  executionResults: 5,
  era: 6,
  index: 7,
  trailer: 8,
} as const

export type FileRecordKind = keyof typeof FILE_RECORDS

/** u8 type || u32 length */
export const RECORD_HEAD_BYTES = 5
/** What a record has beside its payload. */
export const RECORD_OVERHEAD_BYTES = RECORD_HEAD_BYTES + 4

/** What a record is, for whoever is told that it is damaged. */
export interface RecordPlace {
  /** Such as `chunk 3`. */
  readonly record: string
  readonly period?: Period
  /** Of its first byte in the file. */
  readonly offset: number
}

/**
 * A record in pieces, the payload not copied: head, payload, CRC.
 *
 * @param payload - up to 2^32 - 1 bytes
 */
export function encodeFileRecord(kind: FileRecordKind, payload: Uint8Array): readonly Uint8Array[] {
  const head = new ByteWriter(RECORD_HEAD_BYTES).u8(FILE_RECORDS[kind]).u32(payload.length).finish()
  const check = new ByteWriter(4).u32(crc32(payload, crc32(head))).finish()
  return [head, payload, check]
}

/** Records one behind the other, from a piece of a file. */
export class RecordReader {
  private readonly bytes: Uint8Array
  private readonly startOffset: number
  private at = 0

  /** @param startOffset - of the first byte in the file, for messages */
  constructor(bytes: Uint8Array, startOffset: number) {
    this.bytes = bytes
    this.startOffset = startOffset
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length
  }

  /** Of the next record, in the file. */
  get offset(): number {
    return this.startOffset + this.at
  }

  /**
   * The payload of the next record, a view.
   *
   * @param what.record - what it is called where it is damaged; default: its kind
   * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID with `record`, `period` and `offset`
   */
  read(kind: FileRecordKind, what: { readonly record?: string; readonly period?: Period } = {}): Uint8Array {
    const { record = describeKind(kind), period } = what
    const place = { record, offset: this.offset, ...(period === undefined ? {} : { period }) }
    const rest = this.bytes.subarray(this.at)
    if (rest.length < RECORD_OVERHEAD_BYTES) throw fileError(place, 'is cut off')
    const reader = new ByteReader(rest)
    const type = reader.u8()
    if (type !== FILE_RECORDS[kind]) throw fileError(place, `begins with ${type}, not ${FILE_RECORDS[kind]}`)
    const length = reader.u32()
    if (length > rest.length - RECORD_OVERHEAD_BYTES) throw fileError(place, `says that it has ${length} bytes`)
    const payload = reader.raw(length)
    if (reader.u32() !== crc32(rest.subarray(0, RECORD_HEAD_BYTES + length))) {
      throw fileError(place, 'is not as it was written')
    }
    this.at += RECORD_OVERHEAD_BYTES + length
    return payload
  }
}

export function fileError(
  place: RecordPlace,
  what: string,
  cause?: unknown,
): ArchiveError<'CORE_ARCHIVE_FILE_INVALID'> {
  const { record, period, offset } = place
  const where = period === undefined ? record : `${record} of period ${period}`
  const message = `${where} ${what} (record at byte ${offset} of the file)`
  return new ArchiveError('CORE_ARCHIVE_FILE_INVALID', message, { ...place }, cause)
}

function describeKind(kind: FileRecordKind): string {
  return kind === 'executionResults' ? 'execution results' : kind
}
