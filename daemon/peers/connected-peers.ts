import { parsePeerId } from '../../protocol-handler/peer-id-text.ts'
import type { PeerArchive } from '../../storage-worker/bootstrap/paced-peers.ts'
import type { PeerContext } from './peer-context.ts'

/** Connected peers of which it is known for which Massa address they speak. */
export function listBoundPeers({
  node,
  bindings,
}: Pick<PeerContext, 'node' | 'bindings'>): { readonly peer: string; readonly address: string }[] {
  return node.peers.flatMap((peer) => {
    const address = bindings.addressOf(parsePeerId(peer))
    return address === undefined ? [] : [{ peer, address }]
  })
}

/** Those of them that said which periods they have. */
export function listPeerArchives(
  context: Pick<PeerContext, 'node' | 'bindings' | 'registered'>,
): (PeerArchive & { readonly isRegistered: boolean })[] {
  return listBoundPeers(context).flatMap(({ peer, address }) => {
    const said = context.bindings.capabilitiesOf(address)
    if (!said) return []
    const isRegistered = context.registered.has(address)
    return [{ peer, firstPeriod: said.firstPeriod, endPeriod: said.endPeriod, isRegistered }]
  })
}
