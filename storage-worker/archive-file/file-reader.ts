import {
  type ArchiveFileIndex,
  type ArchiveFileTrailer,
  FILE_HEAD_BYTES,
  fileError,
  parseFileHead,
  parseFileIndex,
  parseTrailer,
  type StoreIdentity,
  TRAILER_BYTES,
} from '../../core/index.ts'
import type { ByteSource } from './byte-source.ts'

/** What an archive file says of itself; every record of it that was read is as it was written. */
export interface ArchiveFile extends ArchiveFileIndex {
  readonly source: ByteSource
  readonly identity: StoreIdentity
  /** 32 bytes */
  readonly root: Uint8Array
}

/** Trailer, index and identity: three reads. @throws ArchiveError CORE_ARCHIVE_FILE_INVALID, and of the source */
export async function openArchiveFile(source: ByteSource): Promise<ArchiveFile> {
  const trailer = await readTrailer(source)
  const index = parseFileIndex(await source.read(trailer.index.offset, trailer.index.length), trailer)
  const { first, last, ...identity } = parseFileHead(await source.read(0, FILE_HEAD_BYTES))
  const [from, to] = [index.periods[0]?.period, index.periods.at(-1)?.period]
  if (from !== first || to !== last) {
    throw fileError(
      { record: 'index', offset: trailer.index.offset },
      `is of the periods ${from} to ${to}, not ${first} to ${last}`,
    )
  }
  return { source, identity, root: trailer.root, ...index }
}

async function readTrailer(source: ByteSource): Promise<ArchiveFileTrailer> {
  const length = Math.min(TRAILER_BYTES, source.sizeBytes)
  return parseTrailer(await source.read(source.sizeBytes - length, length), source.sizeBytes)
}
