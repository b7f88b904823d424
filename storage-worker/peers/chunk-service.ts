import { CHUNK_SIZE_BYTES, type ChunkStore, computeLeafHash, computeTreePath, toHex } from '../../core/index.ts'
import {
  type ChunkRequest,
  type ChunkResponse,
  chunkRequestCodec,
  chunkResponseCodec,
  type Frame,
  type SealsResponse,
  type StreamService,
  sealsResponseCodec,
} from '../../protocol-handler/index.ts'

/** Chunks and SEALS of this disk, for peers: every byte is checked against its hash as it is read. */
export function createChunkService(store: ChunkStore): StreamService<ChunkRequest, Frame> {
  return {
    request: chunkRequestCodec,
    priorityOf: () => 'repair',
    answer: async (request) =>
      request.wanted === 'chunk'
        ? [chunkResponseCodec.encodePieces(await readChunk(store, request.chunkId))]
        : [sealsResponseCodec.encodePieces(await readSealsPart(store, request.chunkId, request.offset))],
    refuse: ({ wanted }, status) => [
      wanted === 'chunk' ? chunkResponseCodec.encode({ status }) : sealsResponseCodec.encode({ status }),
    ],
  }
}

async function readChunk(store: ChunkStore, chunkId: Uint8Array): Promise<ChunkResponse> {
  const [place] = await store.findChunks(toHex(chunkId), 1)
  if (!place) return { status: 'notHeld' }
  const { period, index } = place
  const manifest = await store.readManifest(period)
  const data = await store.readChunk(period, index)
  if (!manifest || !data) return { status: 'notHeld' }
  const leaves = manifest.chunks.map((chunk) => computeLeafHash(chunk.chunkId))
  const position = { period, index, chunkCount: leaves.length, path: computeTreePath(leaves, index) }
  return { status: 'ok', position, data }
}

async function readSealsPart(store: ChunkStore, chunkId: Uint8Array, offset: number): Promise<SealsResponse> {
  const [place] = await store.findChunks(toHex(chunkId), 1)
  if (place?.index !== 0) return { status: 'notHeld' }
  const seals = await store.readSeals(place.period)
  if (!seals) return { status: 'notHeld' }
  if (offset >= seals.length) return { status: 'refused' }
  const part = seals.subarray(offset, offset + CHUNK_SIZE_BYTES)
  return { status: 'ok', totalBytes: seals.length, offset, part }
}
