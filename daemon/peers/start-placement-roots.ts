import { PlacementRoots } from '../../storage-worker/placement/placement-roots.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { listBoundPeers } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Compares the placement of each era with that of other nodes; of who has another, nothing counts. */
export function startPlacementRoots(context: PeerContext, claims: Pick<HolderClaims, 'distrust'>): PlacementRoots {
  const { config, address, registered, client, placement, store, clock, log } = context
  const { network } = store.chunks.identity
  const roots = new PlacementRoots(
    { network, registry: config.storageRegistryAddress, ownAddress: address },
    {
      client,
      placement,
      ports: {
        listPeers: () => listBoundPeers(context),
        isNode: (other) => registered.has(other),
        onCompared: (other, differs) => claims.distrust(other, differs, 'placement'),
      },
      clock,
      log,
    },
  )
  keepRunning('placement roots', roots, context)
  return roots
}
