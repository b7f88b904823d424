import { join } from 'node:path'
import { REGISTERED_SHARE, WORK } from '../../daemon/peers/shares.ts'
import { createAuditService } from '../../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../../storage-worker/peers/block-service.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { createManifestService } from '../../storage-worker/peers/manifest-service.ts'
import { openBenchPeer } from '../protocol-handler/bench-peer.ts'
import { openBenchStore } from '../storage-worker/bench-archive.ts'
import { BareArchive } from './bare-archive.ts'

/*
 * One of those that have the archive: a store and PeerNode with the limits of a sidecar, and beside it bare libp2p over bare
 * classic-level. Arguments: its folder, its name. Ends when its parent lets go of it.
 */

export interface PeerReady {
  readonly address: string
  readonly bareAddress: string
}

/** What its bare values measure from now on. */
export interface PeerOrder {
  readonly bareChunkBytes: number
}

const [folder = '', name = ''] = process.argv.slice(2)
const store = await openBenchStore(join(folder, 'data'))
const node = await openBenchPeer(name, { share: REGISTERED_SHARE, work: WORK })
await node.serve('chunk', createChunkService(store.chunks))
await node.serve('manifest', createManifestService(store.chunks))
await node.serve('audit', createAuditService(store.chunks))
await node.serve('block', createBlockService(store.chunks))
const bare = await BareArchive.open(join(folder, 'bare'))

process.on('message', async ({ bareChunkBytes }: PeerOrder) => {
  await bare.prepare(bareChunkBytes)
  process.send?.({})
})
process.once('disconnect', async () => {
  await Promise.all([node.stop(), bare.stop()])
  await store.close()
})
const ready: PeerReady = { address: node.addresses[0] ?? '', bareAddress: bare.address }
process.send?.(ready)
