import { randomInt } from 'node:crypto'
import type { ClusterPort } from '../../api/cluster-port.ts'
import { ArchiveError } from '../../core/index.ts'
import { parsePeerId } from '../../protocol-handler/peer-id-text.ts'
import { type ClusterPeers, checkCluster } from '../../storage-worker/cluster/cluster-check.ts'
import { locateChunk } from '../../storage-worker/cluster/locate-chunk.ts'
import type { PeerContext } from './peer-context.ts'

export interface ClusterModules {
  /** What other nodes say that they hold. */
  readonly claims: Pick<ClusterPeers, 'isLive' | 'listClaimants' | 'doubtOf'>
  readonly awayForMs: ClusterPeers['awayForMs']
  /** Hash slots that this node holds or stands in for. */
  readonly listOwnSlots: () => readonly number[]
}

/** Answers what an operator asks about the whole network. */
export function openCluster(context: PeerContext, modules: ClusterModules): ClusterPort {
  const { config, address: own, node, bindings, client, placement, store, clock } = context
  const { claims, awayForMs, listOwnSlots } = modules
  const doubtOf: ClusterPeers['doubtOf'] = (address, hashSlot, era) => claims.doubtOf(address, hashSlot, era)
  const listConnected = () => node.peers.map((peer) => ({ peer, address: bindings.addressOf(parsePeerId(peer)) }))
  return {
    locate: (idHex) =>
      locateChunk(
        { idHex, own },
        { store: store.chunks, client, table: placement.inForce, listConnected, doubtOf, clock, random: randomInt },
      ),
    check: async (onProgress, signal) => {
      const table = placement.inForce
      if (!table) {
        const message = placement.status()?.failing?.message ?? 'no placement is in force'
        throw new ArchiveError('PLACEMENT_NOT_IN_FORCE', message)
      }
      const peers: ClusterPeers = {
        listConnected,
        isLive: (address) => claims.isLive(address),
        listClaimants: (hashSlot, era, periods) => claims.listClaimants(hashSlot, era, periods),
        doubtOf,
        awayForMs,
        saidBy: (address) => bindings.capabilitiesOf(address),
      }
      const { network } = store.chunks.identity
      return await checkCluster(
        { own, network, repairDelaySeconds: config.p2p.repairDelaySeconds, onProgress, signal },
        { table, isCurrent: placement.isCurrent, ownSlots: listOwnSlots(), store: store.chunks, client, peers, clock },
      )
    },
  }
}
