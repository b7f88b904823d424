import {
  CHUNK_SIZE_BYTES,
  type ChunkPlace,
  type ChunkStore,
  computeLeafHash,
  computeTreePath,
  toHex,
} from '../../core/index.ts'
import {
  ChunkCache,
  type ChunkRequest,
  type ChunkResponse,
  chunkRequestCodec,
  chunkResponseCodec,
  type Frame,
  type SealsResponse,
  type ServedChunk,
  type StreamService,
  sealsResponseCodec,
} from '../../protocol-handler/index.ts'
import type { ChunkSource } from '../../telemetry/index.ts'
import { WithheldChunks } from '../replication/withheld-chunks.ts'
import { computeManifestCost } from './read-cost.ts'

type OnRead = (bytes: number) => void
type SealsRequest = Extract<ChunkRequest, { wanted: 'seals' }>

interface ReadSeals {
  readonly status: 'seals'
  readonly place: ChunkPlace
  readonly data: Uint8Array
}

export interface ChunkServiceOptions {
  /** Of chunks that were asked for lately, kept in memory. */
  readonly cacheBytes: number
  /** Told of each chunk that is given. */
  readonly onServed?: (from: ChunkSource) => void
  readonly withheld?: WithheldChunks
}

/**
 * Chunks and SEALS of this disk, for peers: every byte is checked against its hash as it is read. A chunk that was given
 * lately comes from memory: it proves nothing of the disk, so audits have a service of their own, which always reads. SEALS
 * are shown as proof, too: their first part is read, and those behind it come from what was read for it.
 *
 * What is read and not sent costs the peer, too: the rest of SEALS, the manifest, what is withheld meanwhile.
 */
export function createChunkService(
  store: ChunkStore,
  { cacheBytes, onServed, withheld = new WithheldChunks() }: ChunkServiceOptions = { cacheBytes: 0 },
): StreamService<ChunkRequest, Frame> {
  const cache = new ChunkCache<ServedChunk | ReadSeals>(cacheBytes)
  const serveChunk = async (chunkId: Uint8Array, onRead: OnRead): Promise<ChunkResponse> => {
    const key = toHex(chunkId)
    const kept = cache.get(key)
    const cached = kept?.status === 'ok' ? kept : undefined
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
  const serveSeals = async ({ chunkId, offset }: SealsRequest, onRead: OnRead): Promise<SealsResponse> => {
    const key = `seals ${toHex(chunkId)}`
    const kept = offset > 0 ? cache.get(key) : undefined
    const cached = kept?.status === 'seals' ? kept : undefined
    const seals = cached ?? (await readSeals(store, chunkId))
    if (!seals) return { status: 'notHeld' }
    const answer = cutPart(seals, offset, withheld)
    if (!cached) onRead(seals.data.length - (answer.status === 'ok' ? answer.part.length : 0))
    if (!cached && seals.data.length > CHUNK_SIZE_BYTES) cache.put(key, seals)
    return answer
  }
  return {
    request: chunkRequestCodec,
    priorityOf: () => 'repair',
    answer: async (request, _, onRead = () => undefined) => {
      if (request.wanted === 'chunk') {
        return [chunkResponseCodec.encodePieces(await serveChunk(request.chunkId, onRead))]
      }
      return [sealsResponseCodec.encodePieces(await serveSeals(request, onRead))]
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

/** Of the period whose chunk 0 this is. */
async function readSeals(store: ChunkStore, chunkId: Uint8Array): Promise<ReadSeals | undefined> {
  const [place] = await store.findChunks(toHex(chunkId), 1)
  const data = place?.index === 0 ? await store.readSeals(place.period) : undefined
  return place && data && { status: 'seals', place, data }
}

function cutPart({ place, data }: ReadSeals, offset: number, withheld: WithheldChunks): SealsResponse {
  if (withheld.has(place)) return { status: 'notHeld' }
  if (offset >= data.length) return { status: 'refused' }
  const part = data.subarray(offset, offset + CHUNK_SIZE_BYTES)
  return { status: 'ok', totalBytes: data.length, offset, part }
}
