import { type ChunkStore, computePeriodRoot, encodeManifest } from '../../core/index.ts'
import {
  MAX_MANIFEST_ANSWER_BYTES,
  type ManifestRequest,
  manifestRequestCodec,
  manifestResponseCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'
import { computeManifestCost } from './read-cost.ts'

/** Head, counts and lengths of an answer. */
const OVERHEAD_BYTES = 1_024

/** Manifests and period roots by range, as many as fit into an answer. */
export function createManifestService(store: ChunkStore): StreamService<ManifestRequest> {
  return {
    request: manifestRequestCodec,
    priorityOf: () => 'repair',
    answer: async ({ wanted, firstPeriod, periodCount }, _, onRead) => {
      const items: (Uint8Array | undefined)[] = []
      let bytes = OVERHEAD_BYTES
      for (let period = firstPeriod; period < firstPeriod + periodCount; period++) {
        const manifest = await store.readManifest(period)
        const item = manifest && (wanted === 'roots' ? computePeriodRoot(manifest) : encodeManifest(manifest))
        // All of it is read, and looked through for a root of 32 bytes.
        onRead?.(computeManifestCost(manifest))
        bytes += item?.length ?? 0
        if (items.length > 0 && bytes > MAX_MANIFEST_ANSWER_BYTES) break
        items.push(item)
      }
      if (items.every((item) => item === undefined)) return [manifestResponseCodec.encode({ status: 'notHeld' })]
      return [manifestResponseCodec.encode({ status: 'ok', wanted, firstPeriod, items })]
    },
    refuse: (_, status) => [manifestResponseCodec.encode({ status })],
  }
}
