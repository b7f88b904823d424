import {
  type ChunkStore,
  computeChunkLeafHashes,
  computeTreeLevels,
  LEAF_SIZE_BYTES,
  pickPath,
  toHex,
} from '../../core/index.ts'
import {
  type AuditRequest,
  type AuditResponse,
  auditRequestCodec,
  auditResponseCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'

/** Shows leaves that others drew, from disk. The whole chunk that is read for it costs the peer as what is sent. */
export function createAuditService(store: ChunkStore): StreamService<AuditRequest> {
  return {
    request: auditRequestCodec,
    priorityOf: () => 'challenge',
    answer: async (request, _, onRead) => [auditResponseCodec.encode(await showLeaf(store, request, onRead))],
    refuse: (_, status) => [auditResponseCodec.encode({ status })],
  }
}

async function showLeaf(
  store: ChunkStore,
  { chunkId, leafIndex }: AuditRequest,
  onRead?: (bytes: number) => void,
): Promise<AuditResponse> {
  const [place] = await store.findChunks(toHex(chunkId), 1)
  const chunk = place && (await store.readChunk(place.period, place.index))
  if (!chunk) return { status: 'notHeld' }
  onRead?.(chunk.length)
  const levels = computeTreeLevels(computeChunkLeafHashes(chunk))
  const treeRoot = levels.at(-1)?.[0]
  if (leafIndex >= (levels[0]?.length ?? 0) || !treeRoot) return { status: 'refused' }
  const leaf = chunk.subarray(leafIndex * LEAF_SIZE_BYTES, (leafIndex + 1) * LEAF_SIZE_BYTES)
  return { status: 'ok', leafIndex, byteLength: chunk.length, treeRoot, leaf, path: pickPath(levels, leafIndex) }
}
