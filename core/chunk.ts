import { sha256 } from '#sha256'
import { fromHex, toHex } from './bytes.ts'
import { ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { computeLeafHash, HASH_BYTES, leafHashInto, mergeTree } from './merkle.ts'
import { CHUNK_SIZE_BYTES, LEAF_SIZE_BYTES } from './units.ts'

/** 64 lower-case hex digits. */
export type ChunkIdText = string & { readonly __chunkId: unique symbol }

const CHUNK_ID_PREFIX = 0x02

export function formatChunkId(id: Uint8Array): ChunkIdText {
  return toHex(id) as ChunkIdText
}

/** @throws ArchiveError CORE_BYTES_INVALID when `text` is not 64 hex digits */
export function parseChunkId(text: string): Uint8Array {
  if (text.length !== 64) throw new ArchiveError('CORE_BYTES_INVALID', `'${text.slice(0, 80)}' is not a chunk id`)
  return fromHex(text)
}

/** RFC 6962 leaf hashes of a chunk, one per started 1,024 bytes. */
export function computeChunkLeafHashes(chunk: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = []
  for (let offset = 0; offset < chunk.length; offset += LEAF_SIZE_BYTES) {
    hashes.push(computeLeafHash(chunk.subarray(offset, offset + LEAF_SIZE_BYTES)))
  }
  return hashes
}

/** Root of the leaf tree; `chunk` is 1 to 1,048,576 bytes. 2 ms per MiB. */
export function computeChunkTreeRoot(chunk: Uint8Array): Uint8Array {
  const hashes = new Uint8Array(HASH_BYTES * Math.ceil(chunk.length / LEAF_SIZE_BYTES))
  for (let offset = 0, at = 0; offset < chunk.length; offset += LEAF_SIZE_BYTES, at += HASH_BYTES) {
    leafHashInto(chunk.subarray(offset, offset + LEAF_SIZE_BYTES), hashes, at)
  }
  return mergeTree(hashes)
}

/** H(0x02 || u32 byte length || tree root): the length is inside, so that nobody can claim another number of leaves. */
export function computeChunkIdFromRoot(byteLength: number, treeRoot: Uint8Array): Uint8Array {
  return sha256(new ByteWriter(40).u8(CHUNK_ID_PREFIX).u32(byteLength).raw(treeRoot).finish())
}

/** 32 bytes (docs/FORMAT.md, Chunks and roots). */
export function computeChunkId(chunk: Uint8Array): Uint8Array {
  return computeChunkIdFromRoot(chunk.length, computeChunkTreeRoot(chunk))
}

/**
 * Cuts a BODY into consecutive chunks, the last one shorter.
 *
 * @param body - at least 1 byte
 * @param chunkSizeBytes - multiple of 1,024 up to 1,048,576
 * @returns views into `body`, no copies
 * @throws ArchiveError CORE_CHUNK_SIZE_INVALID, CORE_BODY_INVALID when `body` is empty
 */
export function cutChunks(body: Uint8Array, chunkSizeBytes: number): Uint8Array[] {
  checkChunkSize(chunkSizeBytes)
  if (body.length === 0) throw new ArchiveError('CORE_BODY_INVALID', 'a BODY is never empty')
  const chunks: Uint8Array[] = []
  for (let offset = 0; offset < body.length; offset += chunkSizeBytes) {
    chunks.push(body.subarray(offset, offset + chunkSizeBytes))
  }
  return chunks
}

/**
 * Cuts the bytes that parts hold together into chunks, each in memory of its own, one after the other as they are asked
 * for.
 *
 * @param parts - at least 1 byte together
 * @throws ArchiveError CORE_CHUNK_SIZE_INVALID, CORE_BODY_INVALID when there are no bytes
 */
export function* gatherChunks(parts: readonly Uint8Array[], chunkSizeBytes: number): Generator<Uint8Array> {
  checkChunkSize(chunkSizeBytes)
  let rest = parts.reduce((sum, part) => sum + part.length, 0)
  if (rest === 0) throw new ArchiveError('CORE_BODY_INVALID', 'a BODY is never empty')
  let chunk = new Uint8Array(Math.min(rest, chunkSizeBytes))
  let filled = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + chunk.length - filled)
      chunk.set(piece, filled)
      filled += piece.length
      at += piece.length
      if (filled < chunk.length) continue
      rest -= filled
      yield chunk
      chunk = new Uint8Array(Math.min(rest, chunkSizeBytes))
      filled = 0
    }
  }
}

export function checkChunkSize(chunkSizeBytes: number): void {
  if (chunkSizeBytes % LEAF_SIZE_BYTES !== 0 || chunkSizeBytes < LEAF_SIZE_BYTES || chunkSizeBytes > CHUNK_SIZE_BYTES) {
    throw new ArchiveError(
      'CORE_CHUNK_SIZE_INVALID',
      `chunk size ${chunkSizeBytes} is not a multiple of 1024 up to 1048576`,
    )
  }
}
