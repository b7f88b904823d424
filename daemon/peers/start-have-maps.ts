import { parsePeerId } from '../../protocol-handler/peer-id-text.ts'
import type { Duty } from '../../storage-worker/replication/duty.ts'
import { HaveMap } from '../../storage-worker/replication/have-map.ts'
import { createHaveService } from '../../storage-worker/replication/have-service.ts'
import { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { listBoundPeers } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Who did not say what it offers has as much as it declared. */
const NOT_SAID = 2n ** 64n

/** Keeps what other nodes say that they hold. */
export function startHolderClaims(context: PeerContext): HolderClaims {
  const { config, address, scores, bindings, registered, client, holdings, store, clock, log } = context
  const { network } = store.chunks.identity
  const claims = new HolderClaims(
    { network, ownAddress: address, livenessMs: config.p2p.repairDelaySeconds * 1_000 },
    {
      client,
      ports: {
        listPeers: () => listBoundPeers(context),
        listBanned: () => scores.listBans().flatMap(({ peer }) => bindings.addressOf(parsePeerId(peer)) ?? []),
        isNode: (other) => registered.has(other),
        firstPeriodOf: (other) => bindings.capabilitiesOf(other)?.firstPeriod,
        keepsForEver: (other) => bindings.capabilitiesOf(other)?.retentionPeriods === 0n,
        isTooSmall: (other) =>
          (bindings.capabilitiesOf(other)?.allocatedGb ?? NOT_SAID) < registered.placementGbOf(other),
        readOwnFirst: async () => (await holdings.readRange())?.first,
      },
      clock,
      onFailure: (error) => log.debug({ err: error }, 'have-map of a peer not taken'),
    },
  )
  keepRunning('have-maps of others', claims, context)
  return claims
}

/** Tells others what this node holds of the hash slots that are its duty. */
export async function serveHaveMap(context: PeerContext, duty: Pick<Duty, 'listSlots'>): Promise<void> {
  const { seed, node, placement, holdings, store, clock, log } = context
  const map = new HaveMap(
    { seed, network: store.chunks.identity.network },
    {
      holdings,
      listSlots: () => placement.inForce && duty.listSlots(),
      clock,
      onFailure: (error) => log.warn({ err: error }, 'have-map not made'),
    },
  )
  await node.serve('have', createHaveService(map))
  keepRunning('have-map', map, context)
}
