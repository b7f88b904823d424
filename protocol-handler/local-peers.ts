import { MAX_LISTEN_ADDRESSES, MAX_LOCAL_PEERS } from './limits.ts'

/** Where those listen that multicast DNS found; the one that answered longest ago makes room for another. */
export class LocalPeers {
  /** By PeerId text: multiaddrs with the PeerId. */
  private readonly known = new Map<string, readonly string[]>()

  /** @param addresses multiaddrs without a PeerId */
  take(peer: string, addresses: readonly string[]): void {
    this.known.delete(peer)
    this.known.set(
      peer,
      addresses.slice(0, MAX_LISTEN_ADDRESSES).map((address) => `${address}/p2p/${peer}`),
    )
    const [oldest] = this.known.keys()
    if (this.known.size > MAX_LOCAL_PEERS && oldest !== undefined) this.known.delete(oldest)
  }

  /** Multiaddrs of each peer. */
  list(): (readonly string[])[] {
    return [...this.known.values()]
  }
}
