import { PacedPeers } from '../../storage-worker/bootstrap/paced-peers.ts'
import { refetchFromPeers } from '../../storage-worker/bootstrap/refetch-from-peers.ts'
import { EraDifferences } from '../../storage-worker/eras/era-differences.ts'
import { EraGatherer } from '../../storage-worker/eras/era-gatherer.ts'
import { mendPeriod } from '../../storage-worker/mend-period.ts'
import { createEraService } from '../../storage-worker/peers/era-service.ts'
import { OwnEras } from '../../storage-worker/peers/own-eras.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { listBoundPeers, listPeerArchives } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'
import { askAsBackfill } from './start-bootstrap.ts'

export interface EraGathering {
  readonly own: OwnEras
  readonly gatherer: EraGatherer
  readonly differences: EraDifferences
}

/** Says what this node makes of each era, gathers what others do, and finds out where they differ. */
export async function startEraGathering(context: PeerContext): Promise<EraGathering> {
  const { config, seed, address, node, registered, pastPlacements, client, placement, anchors, store, clock, log } =
    context
  const registry = config.storageRegistryAddress
  const own = new OwnEras({ seed, registry }, { store: store.chunks, placement, past: pastPlacements, clock })
  const listPeers = () => listBoundPeers(context)
  const gatherer = new EraGatherer(
    { network: store.chunks.identity.network, registry, ownAddress: address },
    {
      own,
      client,
      placement,
      anchors,
      ports: {
        listPeers,
        isNode: (other) => registered.has(other),
        onWrong: (peer) => node.penalise(peer, 'reject'),
      },
      clock,
      log,
    },
  )
  await node.serve(
    'era',
    createEraService(own, (era, limit) => gatherer.listOthers(era, limit)),
  )
  keepRunning('era gatherer', gatherer, context)
  const ports = { listPeers, mend: openMending(context) }
  const differences = new EraDifferences({
    own,
    gatherer,
    anchors,
    placement,
    store: store.chunks,
    client,
    ports,
    clock,
    log,
  })
  keepRunning('era differences', differences, context)
  return { own, gatherer, differences }
}

/** Reads one period again, and has other sidecars give it anew where it is damaged: nodes have forgotten it long ago. */
function openMending(context: PeerContext) {
  const { node, cpu, store, clock, log, holdings } = context
  const onWrong = (peer: string) => node.penalise(peer, 'reject')
  const client = new PeerClient(askAsBackfill(node), (peer, offence) => node.penalise(peer, offence), { clock })
  const asked = new PacedPeers({
    listPeers: () => listPeerArchives(context),
    onWrong,
    onFailure: (error) => log.debug({ err: error }, 'peer did not give a damaged period'),
    clock,
  })
  return async (period: number, signal: AbortSignal) => {
    const refetchPeriod = () => refetchFromPeers(period, { store: store.chunks, client, asked, cpu }, signal)
    const damages = await mendPeriod(store.chunks, period, refetchPeriod, signal)
    if (damages.length > 0) holdings.note(period)
    return damages
  }
}
