import type { PeerContext } from '../../daemon/peers/peer-context.ts'
import { startRedialer } from '../../daemon/peers/start-redialer.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { Bindings } from '../../protocol-handler/index.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { IDENTITY, openPeer, type Peer } from '../protocol-handler/open-peer.ts'

/** Four nodes that know nobody, in a network of their own: two of one chain, and two of another. */

const OTHER = { ...IDENTITY, network: { ...IDENTITY.network, chainId: 78n } }
const nodes = [
  await openPeer('a', { mdns: true }),
  await openPeer('b', { mdns: true }),
  await openPeer('c', { mdns: true, identity: OTHER }),
  await openPeer('d', { mdns: true, identity: OTHER }),
]
for (const peer of nodes) redial(peer)
// They ask every ten seconds; whoever started this ends it when it takes too long.
while (nodes.some(({ node }) => node.peers.length === 0)) await systemClock.sleep(100)
const places = nodes.map(({ node }) => node.peers.map((peer) => nodes.findIndex((other) => other.node.peer === peer)))
console.log(JSON.stringify(places))
process.exit(0)

/** As a sidecar does, without a registry and with nobody in its configuration. */
function redial({ node }: Peer): void {
  const context = {
    config: { p2p: { bootstrap: [], maxConnections: 50 } },
    node,
    address: 'own',
    bindings: new Bindings(IDENTITY.network, () => false),
    registered: { has: () => false, list: () => [] },
    placement: { inForce: undefined },
    ownAddresses: () => node.addresses,
    clock: systemClock,
    undo: { push: () => undefined },
    onFatal: (error: unknown) => {
      throw error
    },
  }
  const claims = { isLive: () => false, peerOf: () => undefined, mapTakenAtMs: () => undefined }
  startRedialer(context as unknown as PeerContext, claims as unknown as HolderClaims)
}
