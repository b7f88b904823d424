import { EraGatherer } from '../../storage-worker/eras/era-gatherer.ts'
import { createEraService } from '../../storage-worker/peers/era-service.ts'
import { OwnEras } from '../../storage-worker/peers/own-eras.ts'
import { listBoundPeers } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Says what this node makes of each era, and gathers what others do. */
export async function startEraGatherer(context: PeerContext): Promise<EraGatherer> {
  const { config, seed, address, node, registered, client, placement, anchors, store, clock, log } = context
  const registry = config.storageRegistryAddress
  const own = new OwnEras({ seed, registry }, { store: store.chunks, placement, clock })
  const gatherer = new EraGatherer(
    { network: store.chunks.identity.network, registry, ownAddress: address },
    {
      own,
      client,
      placement,
      anchors,
      ports: {
        listPeers: () => listBoundPeers(context),
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
  return gatherer
}
