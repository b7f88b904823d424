import { ByteReader, ByteWriter } from '../codec.ts'
import type { StoreIdentity } from '../ports.ts'
import type { Period } from '../units.ts'
import { fileError, RECORD_OVERHEAD_BYTES, RecordReader } from './file-record.ts'

/** The first bytes behind the head of the first record: what `file` and people look for. */
const FORMAT = 'massa-storage/archive/1'
const PAYLOAD_BYTES = 4 + FORMAT.length + 8 + 8 + 4 + 8 + 8

/** Bytes of the first record. */
export const FILE_HEAD_BYTES = RECORD_OVERHEAD_BYTES + PAYLOAD_BYTES

/** 40 bytes of index each: 194 days of periods make 46 MB of it, which a reader takes at once. */
export const MAX_FILE_PERIODS = 1_048_576

/** What an archive file is for: all periods from `first` to `last`, none left out. */
export interface ArchiveFileHead extends StoreIdentity {
  readonly first: Period
  readonly last: Period
}

/** Payload of the first record: string(format) || u64 chain id || u64 genesis || u32 chunk size || u64 first || u64 last */
export function encodeFileHead({ network, chunkSizeBytes, first, last }: ArchiveFileHead): Uint8Array {
  const writer = new ByteWriter(PAYLOAD_BYTES).string(FORMAT).u64(network.chainId).u64(network.genesisTimestampMs)
  return writer.u32(chunkSizeBytes).u64(BigInt(first)).u64(BigInt(last)).finish()
}

/**
 * @param bytes - the first `FILE_HEAD_BYTES` of a file, or fewer where it has no more
 * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID
 */
export function parseFileHead(bytes: Uint8Array): ArchiveFileHead {
  const place = { record: 'identity', offset: 0 }
  const payload = new RecordReader(bytes, 0).read('identity')
  if (payload.length !== PAYLOAD_BYTES) throw fileError(place, `has ${payload.length} bytes`)
  const reader = new ByteReader(payload, 'CORE_ARCHIVE_FILE_INVALID')
  if (reader.string(FORMAT.length) !== FORMAT) throw fileError(place, `is not of the format ${FORMAT}`)
  const network = { chainId: reader.u64(), genesisTimestampMs: reader.u64() }
  const chunkSizeBytes = reader.u32()
  const [first, last] = [Number(reader.u64()), Number(reader.u64())]
  const count = last - first + 1
  if (!Number.isSafeInteger(last) || count < 1 || count > MAX_FILE_PERIODS) {
    throw fileError(place, `is of the periods ${first} to ${last}`)
  }
  return { network, chunkSizeBytes, first, last }
}
