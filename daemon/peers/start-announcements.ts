import { formatPeerId } from '../../protocol-handler/peer-id-text.ts'
import type { PlacementTable } from '../../storage-worker/index.ts'
import { AnnouncementBoard } from '../../storage-worker/replication/announcement-board.ts'
import { Announcer, type OwnPlace } from '../../storage-worker/replication/announcer.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import type { Patrol } from '../../storage-worker/replication/patrol.ts'
import { ofTable } from './of-table.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Announces what we have of the last periods, and takes what others announce. */
export function startAnnouncements(
  context: PeerContext,
  { claims, patrol }: { readonly claims: HolderClaims; readonly patrol: Pick<Patrol, 'hear'> },
): { readonly announcer: Announcer; readonly board: AnnouncementBoard } {
  const { address, node, bindings, registered, archiver, placement, holdings, store, metrics, clock, log } = context
  const board = new AnnouncementBoard({
    network: node,
    store: store.chunks,
    holdings,
    claims,
    ports: {
      addressOf: (peerId) => bindings.addressOf(peerId),
      isNode: (other) => registered.has(other),
      countNodes: () => registered.list().length,
      newestPeriod: () => archiver.status().nodeFinalSlot?.period,
      onAnnounced: (firstPeriod, lastPeriod) => patrol.hear(firstPeriod, lastPeriod),
      onExcess: (peerId) => node.penalise(formatPeerId(peerId), 'limit'),
    },
    clock,
    log,
    onResult: (result) => metrics.announcements.add(1, { result }),
  })
  keepRunning('announcements of others', board, context)
  const announcer = new Announcer({
    store: store.chunks,
    holdings,
    network: node,
    ownPlace: ofTable(placement, (table) => findPlace(table, address)),
    clock,
    onAnnounced: (firstPeriod, lastPeriod) => {
      metrics.announcements.add(1, { result: 'sent' })
      log.debug({ firstPeriod, lastPeriod }, 'announced chunks')
    },
    onFailure: (error) => log.warn({ err: error }, 'chunks not announced'),
  })
  keepRunning('announcer', announcer, context)
  return { announcer, board }
}

function findPlace(table: PlacementTable, address: string): OwnPlace | undefined {
  const { nodes } = table.snapshot
  const position = nodes.findIndex((node) => node.address === address)
  return position < 0 ? undefined : { nodes: nodes.length, position, slots: table.listDutySlotsOf(address) }
}
