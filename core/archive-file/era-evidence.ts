import { ByteReader, ByteWriter } from '../codec.ts'
import { HASH_BYTES } from '../merkle.ts'
import type { EraPlace } from './file-index.ts'
import { fileError, RecordReader } from './file-record.ts'

const MAX_ADDRESS_BYTES = 128

/** What a file says of an era all of which it holds. */
export interface FileEra {
  readonly era: number
  /** 32 bytes */
  readonly root: Uint8Array
  /** Of BODY, of this era alone. */
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  /** What whoever wrote the file read in a registry: told, not proven. */
  readonly anchor?: {
    /** Address of the registry. */
    readonly registry: string
    /** 32 bytes, of the placement of the era after it */
    readonly placementRoot: Uint8Array
    readonly anchoredPeriod: bigint
  }
}

/**
 * u64 era || era root || u64 total bytes || u64 total chunks || u8 0, or u8 1 || string(registry) || placement root ||
 * u64 anchored period
 */
export function encodeFileEra({ era, root, totalBytes, totalChunks, anchor }: FileEra): Uint8Array {
  const writer = new ByteWriter(192).u64(BigInt(era)).raw(root).u64(totalBytes).u64(totalChunks)
  if (!anchor) return writer.u8(0).finish()
  return writer.u8(1).string(anchor.registry).raw(anchor.placementRoot).u64(anchor.anchoredPeriod).finish()
}

/** @param bytes - of the file, at the place of the era; @throws ArchiveError CORE_ARCHIVE_FILE_INVALID */
export function parseFileEra(bytes: Uint8Array, { era, offset }: EraPlace): FileEra {
  const place = { record: `era ${era}`, offset }
  const records = new RecordReader(bytes, offset)
  const reader = new ByteReader(records.read('era', place), 'CORE_ARCHIVE_FILE_INVALID')
  if (!records.isAtEnd || Number(reader.u64()) !== era) throw fileError(place, 'is that of another era')
  const totals = { era, root: reader.raw(HASH_BYTES), totalBytes: reader.u64(), totalChunks: reader.u64() }
  const flag = reader.u8()
  if (flag > 1) throw fileError(place, `has the flag ${flag}`)
  const anchor = flag === 1 ? readAnchor(reader) : undefined
  reader.end()
  return { ...totals, ...(anchor ? { anchor } : {}) }
}

function readAnchor(reader: ByteReader): NonNullable<FileEra['anchor']> {
  return {
    registry: reader.string(MAX_ADDRESS_BYTES),
    placementRoot: reader.raw(HASH_BYTES),
    anchoredPeriod: reader.u64(),
  }
}
