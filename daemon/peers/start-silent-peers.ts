import { SilentPeers } from '../../protocol-handler/index.ts'
import { parsePeerId } from '../../protocol-handler/peer-id-text.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Keeps no place for peers that do not show that they are of our network. */
export function startSilentPeers(context: PeerContext): void {
  const { node, bindings, clock } = context
  const isIntroduced = (peer: string): boolean => {
    const address = bindings.addressOf(parsePeerId(peer))
    return address !== undefined && bindings.capabilitiesOf(address) !== undefined
  }
  const silent = new SilentPeers(
    {
      listSilent: () => node.silentPeers.filter((peer) => !isIntroduced(peer)),
      refuse: (peer) => node.refuse(peer, 'silent'),
    },
    clock,
  )
  keepRunning('silent peers', silent, context)
}
