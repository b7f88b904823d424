import { type PeerInfo, type Startable, start, stop } from '@libp2p/interface'
import { type MulticastDNSComponents, mdns } from '@libp2p/mdns'

/**
 * Multicast DNS as a service of libp2p, not as its peer discovery: that would remember without bound whom it finds, and
 * tell each once.
 *
 * @param serviceTag - what is asked for and answered, every ten seconds
 */
export function localSearch(
  serviceTag: string,
  onFound: (peer: PeerInfo) => void,
): (components: MulticastDNSComponents) => Startable {
  return (components) => {
    const search = mdns({ serviceTag })(components)
    search.addEventListener('peer', ({ detail }) => onFound(detail))
    return { start: () => start(search), stop: () => stop(search) }
  }
}
