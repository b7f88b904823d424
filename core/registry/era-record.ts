import { ArgsReader, u8, u64 } from './args.ts'

const RECORD_VERSION = 1
const RECORD_BYTES = 104
const HASH_BYTES = 32

/** What a quorum of the nodes signed of an era, and the registry keeps: it never changes again. */
export interface EraAnchor {
  readonly era: number
  /** 32 bytes, see `computeEraRoot` */
  readonly root: Uint8Array
  /** 32 bytes, of the placement of era + 1 */
  readonly placementRoot: Uint8Array
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  readonly anchoredPeriod: bigint
}

/** Datastore key of the record of an era; it is there once the era is anchored. */
export function computeEraKey(era: number): Uint8Array {
  return new TextEncoder().encode(`era_${era}`)
}

/** @throws ArchiveError CORE_BYTES_INVALID for a record of another version or length */
export function readEraRecord(era: number, record: Uint8Array): EraAnchor {
  const reader = new ArgsReader(record)
  if (record.length !== RECORD_BYTES) throw reader.error(`an era of ${record.length} bytes, not ${RECORD_BYTES}`)
  const version = u8.read(reader)
  if (version !== RECORD_VERSION) throw reader.error(`an era of version ${version}`)
  const anchored: EraAnchor = {
    era,
    root: Uint8Array.from(reader.raw(HASH_BYTES)),
    placementRoot: Uint8Array.from(reader.raw(HASH_BYTES)),
    totalBytes: u64.read(reader),
    totalChunks: u64.read(reader),
    anchoredPeriod: u64.read(reader),
  }
  // A record of fixed size keeps room for later fields: zero today.
  while (!reader.isAtEnd) if (u8.read(reader) !== 0) throw reader.error('something stands behind the last field')
  return anchored
}
