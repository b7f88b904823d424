import { isArchiveError } from '../../../core/index.ts'
import type { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { Auditor } from '../../../storage-worker/replication/auditor.ts'
import { loseChunks } from './lost-chunks.ts'
import { partsOf, runTwisted, tellDeed, twist } from './twist.ts'

interface Peers {
  readonly client: PeerClient
  readonly listPeers: () => readonly { readonly peer: string }[]
}

let peers: Peers | undefined

/** From the first peer that gives it. */
async function fetchChunk(chunkId: Uint8Array): Promise<Uint8Array | undefined> {
  for (const { peer } of peers?.listPeers() ?? []) {
    try {
      const fetched = await peers?.client.fetchChunk(peer, chunkId)
      if (fetched?.status !== 'ok') continue
      tellDeed('fetches a chunk that it is asked for')
      return fetched.value.bytes
    } catch (error) {
      if (!isArchiveError(error)) throw error
    }
  }
  return undefined
}

loseChunks(() => true, fetchChunk)
twist<Auditor, Auditor['look']>(Auditor, 'look', (look, self) => async () => {
  peers = partsOf<{ readonly modules: Peers }>(self).modules
  await look()
})
await runTwisted()
