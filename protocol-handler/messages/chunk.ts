import {
  type ByteReader,
  type ByteWriter,
  CHUNK_SIZE_BYTES,
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  type Period,
} from '../../core/index.ts'
import { MAX_CHUNK_ANSWER_BYTES, MAX_PERIOD_CHUNKS } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readHash, readPeriod, writePeriod } from './fields.ts'
import { wireCodec } from './wire-codec.ts'

/** BODY of a chunk, or the SEALS that belong to chunk 0, in parts of at most 1 MiB. */
const WANTED = { chunk: 0, seals: 1 } as const

/** The seed's `ChunkRequest`. */
export type ChunkRequest =
  | { readonly wanted: 'chunk'; readonly chunkId: Uint8Array }
  /** `chunkId` of chunk 0. */
  | { readonly wanted: 'seals'; readonly chunkId: Uint8Array; readonly offset: number }

export const chunkRequestCodec = wireCodec<ChunkRequest>({
  name: 'ChunkRequest',
  maxBytes: 1 + 1 + 32 + 4,
  write: (writer, request) => {
    writer.u8(WANTED[request.wanted]).raw(request.chunkId)
    if (request.wanted === 'seals') writer.u32(request.offset)
  },
  read: (reader) => {
    const wanted = reader.u8()
    const chunkId = readHash(reader)
    if (wanted === WANTED.chunk) return { wanted: 'chunk', chunkId }
    if (wanted === WANTED.seals) return { wanted: 'seals', chunkId, offset: reader.u32() }
    throw reader.error(`${wanted} is nothing that can be wanted`)
  },
})

/** Where a chunk stands: with it the receiver computes the period root, and needs no manifest to check the chunk. */
export interface ChunkPosition {
  readonly period: Period
  readonly index: number
  /** Of the period. */
  readonly chunkCount: number
  /** Sibling hashes from the chunk id upward; as many as index and count make them. */
  readonly path: readonly Uint8Array[]
}

/** The seed's `ChunkResponse`: `data` with its `merkle_proof`, or why there is none. */
export type ChunkResponse =
  | { readonly status: 'ok'; readonly position: ChunkPosition; readonly data: Uint8Array }
  | { readonly status: Refusal }

export const chunkResponseCodec = wireCodec<ChunkResponse>({
  name: 'ChunkResponse',
  maxBytes: MAX_CHUNK_ANSWER_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writePosition(writer, response.position)
    writer.u32(response.data.length)
  },
  tail: (response) => (response.status === 'ok' ? response.data : undefined),
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    const position = readPosition(reader)
    const length = reader.u32()
    if (length < 1 || length > CHUNK_SIZE_BYTES) throw reader.error(`a chunk of ${length} bytes`)
    return { status, position, data: reader.raw(length) }
  },
})

/** Root of the tree over the chunk ids of the period, as the position says it is. */
export function computeRootOfChunks(chunkId: Uint8Array, { index, chunkCount, path }: ChunkPosition): Uint8Array {
  return computeRootFromPath(computeLeafHash(chunkId), path, { index, leafCount: chunkCount })
}

/** A part of SEALS, of `totalBytes` in all. */
export type SealsResponse =
  | { readonly status: 'ok'; readonly totalBytes: number; readonly offset: number; readonly part: Uint8Array }
  | { readonly status: Refusal }

export const sealsResponseCodec = wireCodec<SealsResponse>({
  name: 'SealsResponse',
  maxBytes: MAX_CHUNK_ANSWER_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writer.u32(response.totalBytes).u32(response.offset).u32(response.part.length)
  },
  tail: (response) => (response.status === 'ok' ? response.part : undefined),
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    const totalBytes = reader.u32()
    const offset = reader.u32()
    const length = reader.u32()
    if (length < 1 || length > CHUNK_SIZE_BYTES) throw reader.error(`a part of ${length} bytes`)
    if (offset + length > totalBytes) throw reader.error(`bytes ${offset} to ${offset + length} of ${totalBytes}`)
    return { status, totalBytes, offset, part: reader.raw(length) }
  },
})

function writePosition(writer: ByteWriter, { period, index, chunkCount, path }: ChunkPosition): void {
  writePeriod(writer, period)
  writer.u16(index).u16(chunkCount)
  for (const hash of path) writer.raw(hash)
}

function readPosition(reader: ByteReader): ChunkPosition {
  const period = readPeriod(reader)
  const index = reader.u16()
  const chunkCount = reader.u16()
  if (chunkCount < 1 || chunkCount > MAX_PERIOD_CHUNKS || index >= chunkCount) {
    throw reader.error(`chunk ${index} of ${chunkCount}`)
  }
  const path = Array.from({ length: computePathLength(index, chunkCount) }, () => readHash(reader))
  return { period, index, chunkCount, path }
}
