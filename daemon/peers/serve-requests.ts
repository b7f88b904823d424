import { MAX_CACHED_CHUNK_BYTES } from '../../protocol-handler/index.ts'
import { createAuditService } from '../../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../../storage-worker/peers/block-service.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { createDrawService } from '../../storage-worker/peers/draw-service.ts'
import { createManifestService } from '../../storage-worker/peers/manifest-service.ts'
import type { WithheldChunks } from '../../storage-worker/replication/withheld-chunks.ts'
import { CHUNK_SOURCES, type ChunkSource } from '../../telemetry/index.ts'
import type { PeerContext } from './peer-context.ts'

/**
 * Answers what other sidecars ask for of this disk, each kind of request on streams of its own.
 *
 * @param withheld - chunks that nobody is given for the moment
 */
export async function serveRequests(context: PeerContext, withheld: WithheldChunks): Promise<void> {
  const { node, store, metrics } = context
  for (const from of CHUNK_SOURCES) metrics.servedChunks.add(0, { from })
  const onServed = (from: ChunkSource): void => metrics.servedChunks.add(1, { from })
  await node.serve(
    'chunk',
    createChunkService(store.chunks, { cacheBytes: MAX_CACHED_CHUNK_BYTES, onServed, withheld }),
  )
  await node.serve('manifest', createManifestService(store.chunks))
  await node.serve('draw', createDrawService(store.drawSignatures))
  await node.serve('audit', createAuditService(store.chunks, withheld))
  await node.serve('block', createBlockService(store.chunks, withheld))
}
