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
import { computeManifestCost } from './read-cost.ts'

type OnRead = (bytes: number) => void

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
 *
 * What is read and not sent costs the peer, too: the rest of SEALS, the manifest, what is withheld meanwhile.
 */
export function createChunkService(
  store: ChunkStore,
  { cacheBytes, onServed, withheld = new WithheldChunks() }: ChunkServiceOptions = { cacheBytes: 0 },
): StreamService<ChunkRequest, Frame> {
  const cache = new ChunkCache(cacheBytes)
  const serveChunk = async (chunkId: Uint8Array, onRead: OnRead): Promise<ChunkResponse> => {
    const key = toHex(chunkId)
    const cached = cache.get(key)
    const chunk = cached ?? (await readChunk(store, key, onRead))
    if (chunk.status !== 'ok') return chunk
    if (withheld.has(chunk.position)) {
      if (!cached) onRead(chunk.data.length)
      return { status: 'notHeld' }
    }
    if (!cached) cache.put(key, chunk)
    onServed?.(cached ? 'cache' : 'disk')
    return chunk
  }
  return {
    request: chunkRequestCodec,
    priorityOf: () => 'repair',
    answer: async (request, _, onRead = () => undefined) => {
      if (request.wanted === 'chunk') {
        return [chunkResponseCodec.encodePieces(await serveChunk(request.chunkId, onRead))]
      }
      const { answer, readBytes } = await readSealsPart(store, withheld, request)
      onRead(readBytes - (answer.status === 'ok' ? answer.part.length : 0))
      return [sealsResponseCodec.encodePieces(answer)]
    },
    refuse: ({ wanted }, status) => [
      wanted === 'chunk' ? chunkResponseCodec.encode({ status }) : sealsResponseCodec.encode({ status }),
    ],
  }
}

/** @param chunkId text of 64 hex digits */
async function readChunk(store: ChunkStore, chunkId: string, onRead: OnRead): Promise<ChunkResponse> {
  const [place] = await store.findChunks(chunkId, 1)
  if (!place) return { status: 'notHeld' }
  const { period, index } = place
  const manifest = await store.readManifest(period)
  onRead(computeManifestCost(manifest))
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
): Promise<{ readonly answer: SealsResponse; readonly readBytes: number }> {
  const [place] = await store.findChunks(toHex(chunkId), 1)
  const seals = place?.index === 0 ? await store.readSeals(place.period) : undefined
  if (!place || !seals) return { answer: { status: 'notHeld' }, readBytes: 0 }
  const readBytes = seals.length
  if (withheld.has(place)) return { answer: { status: 'notHeld' }, readBytes }
  if (offset >= seals.length) return { answer: { status: 'refused' }, readBytes }
  const part = seals.subarray(offset, offset + CHUNK_SIZE_BYTES)
  return { answer: { status: 'ok', totalBytes: seals.length, offset, part }, readBytes }
}
