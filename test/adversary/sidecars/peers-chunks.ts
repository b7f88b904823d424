import { isArchiveError } from '../../../core/index.ts'
import type { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { Auditor } from '../../../storage-worker/replication/auditor.ts'
import { loseChunks } from './lost-chunks.ts'
import { partsOf, tellDeed, twist } from './twist.ts'

interface Peers {
  readonly client: PeerClient
  readonly listPeers: () => readonly { readonly address: string; readonly peer: string }[]
}

/**
 * Has each chunk that is asked for read from the first peer that gives it, and none from the disk.
 *
 * @param isAsked - whether the peer of this Massa address is one that is asked
 * @param deed - what it tells of each
 */
export function readFromPeers(isAsked: (address: string) => boolean, deed: string): void {
  let peers: Peers | undefined
  loseChunks(
    () => true,
    async (chunkId) => {
      for (const { address, peer } of peers?.listPeers() ?? []) {
        if (!isAsked(address)) continue
        try {
          const fetched = await peers?.client.fetchChunk(peer, chunkId)
          if (fetched?.status !== 'ok') continue
          tellDeed(deed)
          return fetched.value.bytes
        } catch (error) {
          if (!isArchiveError(error)) throw error
        }
      }
      return undefined
    },
  )
  twist<Auditor, Auditor['look']>(Auditor, 'look', (look, self) => async () => {
    peers = partsOf<{ readonly modules: Peers }>(self).modules
    await look()
  })
}
