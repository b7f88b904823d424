import type { Period } from '../../core/index.ts'
import type { PeerNode } from '../../protocol-handler/peer-node.ts'
import { Bootstrap } from '../../storage-worker/bootstrap/bootstrap.ts'
import { HoleFiller } from '../../storage-worker/bootstrap/hole-filler.ts'
import { ASK_LIMITS, PacedPeers } from '../../storage-worker/bootstrap/paced-peers.ts'
import type { DiskSpace } from '../../storage-worker/index.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import type { Duty } from '../../storage-worker/replication/duty.ts'
import { listPeerArchives } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'
import { REGISTERED_ASK_LIMITS } from './shares.ts'

/** Of the quota: what is archived may take a tenth more, blocks that wait another. */
const QUOTA_SHARE = 0.8
/** Above the floor: months of a quiet chain. */
const SPARE_BYTES = 1_000_000_000

/** Fetches from peers what came before the first period that was archived here, and periods that lack between. */
export function startBootstrap(context: PeerContext, duty: Pick<Duty, 'of'>): Bootstrap {
  const { config, address, node, registered, archiver, placement, anchors, holdings, store, cpu } = context
  const { clock, log } = context
  const client = new PeerClient(askAsBackfill(node), (peer, offence) => node.penalise(peer, offence), {
    clock,
    identify: (chunk) => cpu.identifyChunk(chunk),
  })
  const asked = new PacedPeers(
    {
      listPeers: () => listPeerArchives(context),
      onWrong: (peer) => node.penalise(peer, 'reject'),
      onFailure: (error) => log.debug({ err: error }, 'peer did not give old periods'),
      clock,
    },
    () => (registered.has(address) ? REGISTERED_ASK_LIMITS : ASK_LIMITS),
  )
  const onWritten = async (period: Period): Promise<void> => {
    holdings.note(period)
    await archiver.onFilled(period)
  }
  const restartPeriods = config.node.chainRestarts.map(({ restartPeriod }) => restartPeriod)
  const findAnchored = (era: number) => anchors.find(era)
  const own = { store: store.chunks, hasRoom: () => hasRoom(store.disk), onWritten, clock, log }
  const shared = { ...own, client, asked, cpu, findAnchored }
  const bootstrap = new Bootstrap(
    { retentionPeriods: config.retentionPeriods, restartPeriods },
    {
      ...shared,
      wanted: () => {
        if (!placement.inForce) return undefined
        // Who is not registered keeps what it likes, and whoever runs a sidecar likes an archive.
        return registered.has(address) ? (hashSlot) => duty.of(hashSlot) !== undefined : () => true
      },
      finalPeriod: () => archiver.status().nodeFinalSlot?.period,
    },
  )
  keepRunning('bootstrap', bootstrap, context)
  const holes = new HoleFiller(
    { restartPeriods },
    { ...shared, listHoles: () => archiver.status().holes, attest: (period) => archiver.attest(period) },
  )
  keepRunning('hole filler', holes, context)
  return bootstrap
}

/** What is asked for so waits for all other things where the line is shared out. */
export function askAsBackfill(node: Pick<PeerNode, 'request'>): Pick<PeerNode, 'request'> {
  return { request: (peer, name, options) => node.request(peer, name, { ...options, priority: 'backfill' }) }
}

async function hasRoom(disk: DiskSpace): Promise<boolean> {
  const { quotaBytes, floorBytes } = disk
  if (quotaBytes > 0 && (await disk.readUsedBytes()) > quotaBytes * QUOTA_SHARE) return false
  return (await disk.readFreeBytes()) > floorBytes + SPARE_BYTES
}
