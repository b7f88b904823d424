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
import { WithheldChunks } from '../replication/withheld-chunks.ts'

/** Shows leaves that others drew, from disk. The whole chunk that is read for it costs the peer as what is sent. */
export function createAuditService(store: ChunkStore, withheld = new WithheldChunks()): StreamService<AuditRequest> {
  return {
    request: auditRequestCodec,
    priorityOf: () => 'challenge',
    answer: async ({ chunkId, leafIndex }, _, onRead) => {
      const [place] = await store.findChunks(toHex(chunkId), 1)
      const chunk = place && (await store.readChunk(place.period, place.index))
      onRead?.(chunk?.length ?? 0)
      const isGiven = chunk && !withheld.has(place)
      return [auditResponseCodec.encode(isGiven ? showLeaf(chunk, leafIndex) : { status: 'notHeld' })]
    },
    refuse: (_, status) => [auditResponseCodec.encode({ status })],
  }
}

function showLeaf(chunk: Uint8Array, leafIndex: number): AuditResponse {
  const levels = computeTreeLevels(computeChunkLeafHashes(chunk))
  const treeRoot = levels.at(-1)?.[0]
  if (leafIndex >= (levels[0]?.length ?? 0) || !treeRoot) return { status: 'refused' }
  const leaf = chunk.subarray(leafIndex * LEAF_SIZE_BYTES, (leafIndex + 1) * LEAF_SIZE_BYTES)
  return { status: 'ok', leafIndex, byteLength: chunk.length, treeRoot, leaf, path: pickPath(levels, leafIndex) }
}
