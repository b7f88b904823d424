import { toHex } from '../core/index.ts'
import { mayDial } from './address-reach.ts'
import type { Bindings } from './bindings.ts'

/** Nodes that are dialled because others know them; more come by themselves. */
const MAX_TOLD_NODES = 64
const MAX_KNOWN_ADDRESSES = 1_024

/** Whom a sidecar wants to be connected to: those of its configuration, and some of those that told where they listen. */
export class DialTargets {
  private readonly bootstrap: readonly string[]
  private readonly bindings: Bindings
  private readonly own: { readonly peerId: Uint8Array; readonly addresses: () => readonly string[] }
  /** Whose address turned out to be whose; one without a PeerId says so only when it answers. */
  private readonly peers = new Map<string, string>()

  constructor(
    bootstrap: readonly string[],
    bindings: Bindings,
    own: { readonly peerId: Uint8Array; readonly addresses: () => readonly string[] },
  ) {
    this.bootstrap = bootstrap
    this.bindings = bindings
    this.own = own
  }

  /** Multiaddrs; the first of each node that may be dialled. */
  list(): string[] {
    const ownId = toHex(this.own.peerId)
    const ownAddresses = this.own.addresses()
    const told: string[] = []
    for (const { capabilities } of this.bindings.list()) {
      if (told.length === MAX_TOLD_NODES) break
      if (toHex(capabilities.peerId) === ownId) continue
      const address = capabilities.listenAddresses.find((text) => mayDial(text, ownAddresses))
      if (address !== undefined) told.push(address)
    }
    return [...new Set([...this.bootstrap, ...told])]
  }

  onDialled(address: string, peer: string): void {
    this.peers.delete(address)
    this.peers.set(address, peer)
    const [oldest] = this.peers.keys()
    if (this.peers.size > MAX_KNOWN_ADDRESSES && oldest !== undefined) this.peers.delete(oldest)
  }

  /** The text of the PeerId at an address, as far as it is known. */
  peerAt(address: string): string | undefined {
    return /\/p2p\/([^/]+)$/.exec(address)?.[1] ?? this.peers.get(address)
  }
}
