import { type ChunkStore, isArchiveError, toHex } from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import type { PacedPeers } from './paced-peers.ts'

/** Chunks of visible periods; those that are not held, or are damaged, come from peers: the manifest binds them. */
export function chunksFromAll(
  {
    store,
    asked,
    client,
  }: { readonly store: ChunkStore; readonly asked: PacedPeers; readonly client: Pick<PeerClient, 'fetchChunk'> },
  signal: AbortSignal,
): Pick<ChunkStore, 'readManifest' | 'readChunk'> {
  return {
    readManifest: (period) => store.readManifest(period),
    readChunk: async (period, index) => {
      const held = await store.readChunk(period, index).catch((error: unknown) => {
        if (!isArchiveError(error, 'STORE_VALUE_CORRUPT')) throw error
        return undefined
      })
      const chunkId = (await store.readManifest(period))?.chunks[index]?.chunkId
      if (held || !chunkId) return held
      const answer = await asked.ask(
        {
          name: toHex(chunkId),
          period,
          send: (peer) => client.fetchChunk(peer, chunkId),
          sizeOf: ({ bytes }) => bytes.length,
        },
        signal,
      )
      return answer?.value.bytes
    },
  }
}
