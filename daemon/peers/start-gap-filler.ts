import { GapFiller } from '../../storage-worker/peers/gap-filler.ts'
import { listPeerArchives } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** What the archiver's word on a block of a peer means for the peer. */
const TAKEN = {
  spooled: 'taken',
  known: 'left',
  ignored: 'left',
  postponed: 'left',
  // An honest one gives the same of an operation whose body cannot be restored.
  unbound: 'left',
  incomplete: 'wrong',
  refused: 'wrong',
} as const

/** Fetches from peers the blocks that no massa-node has any more. */
export function startGapFiller(context: PeerContext): void {
  const { node, client, archiver, store, clock, log } = context
  const filler = new GapFiller(
    { network: store.chunks.identity.network },
    {
      client,
      ports: {
        listGaps: () => archiver.status().gaps,
        listPeers: () => listPeerArchives(context).filter(({ endPeriod }) => endPeriod > 0),
        takeBlock: async (id, filledBlock) => TAKEN[await archiver.takePeerBlock(id, filledBlock)],
        onWrong: (peer) => node.penalise(peer, 'reject'),
      },
      clock,
      onFailure: (error) => log.debug({ err: error }, 'peer did not fill a gap'),
    },
  )
  keepRunning('gap filler', filler, context)
}
