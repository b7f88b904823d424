import { type Clock, equalBytes } from '../core/index.ts'
import { isLiteral, isLocal, mayDial } from './address-reach.ts'
import type { Bindings } from './bindings.ts'
import { MAX_LISTEN_ADDRESS_BYTES, MAX_LISTEN_ADDRESSES, MAX_TOLD_NODES } from './limits.ts'

const MAX_KNOWN_ADDRESSES = 1_024
/** A full gossip mesh has six, and two more to ask: with so many the others are heard of by gossip. */
const ENOUGH_PEERS = 8
/** Nodes of the registry that are tried at a time while there are fewer; the next ones follow in turn, for many may be away. */
const MAX_REGISTERED_NODES = 16
/** Each is dialled some times in it before it is the turn of the next. */
const TURN_MS = 60_000
/** What libp2p can dial here: a host and a TCP port. The registry takes any text. */
const DIALLABLE =
  /^\/(?:ip4|ip6|dns|dns4|dns6)\/[A-Za-z0-9.:_-]{1,253}\/tcp\/\d{1,5}(?:\/p2p\/[1-9A-HJ-NP-Za-km-z]{40,64})?$/

export interface DialTargetsOptions {
  /** Multiaddrs of the configuration. */
  readonly bootstrap: readonly string[]
  readonly own: {
    /** 38 bytes */
    readonly peerId: Uint8Array
    /** Massa address */
    readonly address: string
    /** Multiaddrs */
    readonly addresses: () => readonly string[]
  }
  /** With so many peers nobody else is dialled: the rest is for who comes, and for short visits. Default: no bound. */
  readonly enoughPeers?: number
}

export interface DialTargetsModules {
  readonly bindings: Bindings
  /** Whether what a node holds concerns us; nobody's does where it is left out. */
  readonly isNeighbour?: (address: string) => boolean
  readonly registered: {
    has(address: string): boolean
    list(): readonly { readonly address: string; readonly p2pAddrs: readonly string[] }[]
  }
  /** Multiaddrs of each peer that was found in the local network; default: nobody was. */
  readonly listLocal?: () => readonly (readonly string[])[]
  readonly countPeers: () => number
  readonly clock: Clock
  readonly random: (maxExclusive: number) => number
}

/**
 * Whom a sidecar wants to be connected to: those of its configuration, some of those that told where they listen, first
 * those whose holdings concern it, and as long as it is connected to few, nodes of the registry that it did not hear of yet
 * and those of the local network.
 */
export class DialTargets {
  private readonly options: DialTargetsOptions
  private readonly modules: DialTargetsModules
  /** Whose address turned out to be whose; one without a PeerId says so only when it answers. */
  private readonly peers = new Map<string, string>()
  /** Where in the registry this sidecar begins: not all with the same nodes. */
  private turn: { readonly start: number; readonly sinceMs: number } | undefined

  constructor(options: DialTargetsOptions, modules: DialTargetsModules) {
    this.options = options
    this.modules = modules
  }

  /** Multiaddrs; the first of each node that may be dialled. */
  list(): string[] {
    const { bootstrap, own } = this.options
    const ownAddresses = own.addresses()
    const others = [this.listTold(ownAddresses), this.listRegistered(ownAddresses), this.listLocal(ownAddresses)]
    return [...new Set([...bootstrap, ...others.flat()])]
  }

  /** Where a node listens: as it told, or as it is registered; the first that may be dialled. */
  addressOf(address: string): string | undefined {
    const { bindings, registered } = this.modules
    const ownAddresses = this.options.own.addresses()
    const told = this.findTold(address, bindings.capabilitiesOf(address)?.listenAddresses ?? [], ownAddresses)
    if (told !== undefined) return told
    const node = registered.list().find((other) => other.address === address)
    return node && findDiallable(node.p2pAddrs, ownAddresses)
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

  /** Neighbours first, then others that are registered: strangers cost nothing to make up. */
  private listTold(ownAddresses: readonly string[]): string[] {
    const { bindings, registered, countPeers, isNeighbour = () => false } = this.modules
    const { enoughPeers = Number.POSITIVE_INFINITY, own } = this.options
    if (countPeers() >= enoughPeers) return []
    const [near, known, strangers]: [string[], string[], string[]] = [[], [], []]
    for (const { address, capabilities } of bindings.list()) {
      if (near.length === MAX_TOLD_NODES) break
      const group = isNeighbour(address) ? near : registered.has(address) ? known : strangers
      if (group.length === MAX_TOLD_NODES || equalBytes(capabilities.peerId, own.peerId)) continue
      const told = this.findTold(address, capabilities.listenAddresses, ownAddresses)
      if (told !== undefined) group.push(told)
    }
    return [...near, ...known, ...strangers].slice(0, MAX_TOLD_NODES)
  }

  /** The first that may be dialled of what a node told; names only of nodes of the registry, which cost something to make up. */
  private findTold(address: string, told: readonly string[], ownAddresses: readonly string[]): string | undefined {
    const mayName = this.modules.registered.has(address)
    return findDiallable(mayName ? told : told.filter(isLiteral), ownAddresses)
  }

  /** Last: who else is there is told by those that are met. */
  private listLocal(ownAddresses: readonly string[]): string[] {
    const { listLocal = () => [], countPeers } = this.modules
    if (countPeers() >= ENOUGH_PEERS) return []
    return listLocal().flatMap((told) => told.find((text) => isDiallable(text) && isLocal(text, ownAddresses)) ?? [])
  }

  private listRegistered(ownAddresses: readonly string[]): string[] {
    const { bindings, registered, countPeers, clock, random } = this.modules
    if (countPeers() >= ENOUGH_PEERS) return []
    const nodes = registered.list()
    if (nodes.length === 0) return []
    const nowMs = clock.monotonicMs()
    this.turn ??= { start: random(nodes.length), sinceMs: nowMs }
    const turns = Math.floor((nowMs - this.turn.sinceMs) / TURN_MS)
    const start = this.turn.start + turns * MAX_REGISTERED_NODES
    const found: string[] = []
    for (let i = 0; i < nodes.length && i < MAX_REGISTERED_NODES; i++) {
      const node = nodes[(start + i) % nodes.length]
      if (!node || node.address === this.options.own.address || bindings.capabilitiesOf(node.address)) continue
      const address = findDiallable(node.p2pAddrs, ownAddresses)
      if (address !== undefined) found.push(address)
    }
    return found
  }
}

function findDiallable(told: readonly string[], ownAddresses: readonly string[]): string | undefined {
  return told.slice(0, MAX_LISTEN_ADDRESSES).find((text) => isDiallable(text) && mayDial(text, ownAddresses))
}

function isDiallable(text: string): boolean {
  return text.length <= MAX_LISTEN_ADDRESS_BYTES && DIALLABLE.test(text)
}
