import { CHUNK_SIZE_BYTES, type ChunkStore, computeLeafHash, computeTreePath, toHex } from '../../core/index.ts'
import {
  ChunkCache,
  type ChunkRequest,
  type ChunkResponse,
  chunkRequestCodec,
  chunkResponseCodec,
  type Frame,
  type SealsResponse,
  type StreamService,
  sealsResponseCodec,
} from '../../protocol-handler/index.ts'
import type { ChunkSource } from '../../telemetry/index.ts'
import { WithheldChunks } from '../replication/withheld-chunks.ts'

export interface ChunkServiceOptions {
  /** Of chunks that were asked for lately, kept in memory. */
  readonly cacheBytes: number
  /** Told of each chunk that is given. */
  readonly onServed?: (from: ChunkSource) => void
  readonly withheld?: WithheldChunks
}

/**
 * Chunks and SEALS of this disk, for peers: every byte is checked against its hash as it is read. A chunk that was given
 * lately comes from memory: it proves nothing of the disk, so audits have a service of their own, which always reads.
 */
export function createChunkService(
  store: ChunkStore,
  { cacheBytes, onServed, withheld = new WithheldChunks() }: ChunkServiceOptions = { cacheBytes: 0 },
): StreamService<ChunkRequest, Frame> {
  const cache = new ChunkCache(cacheBytes)
  const serveChunk = async (chunkId: Uint8Array): Promise<ChunkResponse> => {
    const key = toHex(chunkId)
    const cached = cache.get(key)
    const chunk = cached ?? (await readChunk(store, key))
    if (chunk.status !== 'ok') return chunk
    if (withheld.has(chunk.position)) return { status: 'notHeld' }
    if (!cached) cache.put(key, chunk)
    onServed?.(cached ? 'cache' : 'disk')
    return chunk
  }
  return {
    request: chunkRequestCodec,
    priorityOf: () => 'repair',
    answer: async (request) =>
      request.wanted === 'chunk'
        ? [chunkResponseCodec.encodePieces(await serveChunk(request.chunkId))]
        : [sealsResponseCodec.encodePieces(await readSealsPart(store, withheld, request))],
    refuse: ({ wanted }, status) => [
      wanted === 'chunk' ? chunkResponseCodec.encode({ status }) : sealsResponseCodec.encode({ status }),
    ],
  }
}

/** @param chunkId text of 64 hex digits */
async function readChunk(store: ChunkStore, chunkId: string): Promise<ChunkResponse> {
  const [place] = await store.findChunks(chunkId, 1)
  if (!place) return { status: 'notHeld' }
  const { period, index } = place
  const manifest = await store.readManifest(period)
  const data = await store.readChunk(period, index)
  if (!manifest || !data) return { status: 'notHeld' }
  const leaves = manifest.chunks.map((chunk) => computeLeafHash(chunk.chunkId))
  const position = { period, index, chunkCount: leaves.length, path: computeTreePath(leaves, index) }
  return { status: 'ok', position, data }
}

async function readSealsPart(
  store: ChunkStore,
  withheld: WithheldChunks,
  { chunkId, offset }: Extract<ChunkRequest, { wanted: 'seals' }>,
): Promise<SealsResponse> {
  const [place] = await store.findChunks(toHex(chunkId), 1)
  if (place?.index !== 0) return { status: 'notHeld' }
  const seals = await store.readSeals(place.period)
  if (!seals || withheld.has(place)) return { status: 'notHeld' }
  if (offset >= seals.length) return { status: 'refused' }
  const part = seals.subarray(offset, offset + CHUNK_SIZE_BYTES)
  return { status: 'ok', totalBytes: seals.length, offset, part }
}
