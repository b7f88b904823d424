import { MAX_STORED_PEERS } from './limits.ts'

export interface StoredPeersPorts {
  /** Connected peers are kept, however many. */
  readonly listConnected: () => readonly string[]
  /** Lets go of what libp2p remembers of a peer. */
  readonly forget: (peer: string) => void
}

/**
 * Of whom libp2p remembers addresses, protocols and keys. It forgets nobody by itself: whoever comes with a new name each
 * time would fill the memory. Peers are texts of PeerIds.
 */
export class StoredPeers {
  private readonly ports: StoredPeersPorts
  /** By the last change: the first is forgotten first. */
  private readonly known = new Set<string>()

  constructor(ports: StoredPeersPorts) {
    this.ports = ports
  }

  /** What is remembered of a peer has changed. */
  onChange(peer: string): void {
    this.known.delete(peer)
    this.known.add(peer)
    if (this.known.size <= MAX_STORED_PEERS) return
    const connected = new Set(this.ports.listConnected())
    for (const other of this.known) {
      if (this.known.size <= MAX_STORED_PEERS) return
      if (connected.has(other)) continue
      this.known.delete(other)
      this.ports.forget(other)
    }
  }
}
