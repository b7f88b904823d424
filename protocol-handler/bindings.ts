import { ArchiveError, equalBytes, type Network, toHex } from '../core/index.ts'
import type { KeptBinding } from './binding-record.ts'
import { MAX_KNOWN_NODES } from './limits.ts'
import { readSigner, type SignedCapabilities, verifyCapabilities } from './messages/capabilities.ts'

/** Which PeerId speaks for which Massa address, by the latest statement of the address. */
export class Bindings {
  private readonly network: Network
  private readonly isRegistered: (address: string) => boolean
  private readonly byAddress = new Map<string, SignedCapabilities>()
  private readonly addressByPeer = new Map<string, string>()
  /** What is known from before the restart, of whom was not heard since. */
  private readonly before = new Map<string, KeptBinding>()
  private changeCount = 0

  /** @param isRegistered whether the registry knows an address: those are not forgotten for strangers */
  constructor(network: Network, isRegistered: (address: string) => boolean) {
    this.network = network
    this.isRegistered = isRegistered
  }

  /**
   * Takes a statement that `senderPeerId` itself made.
   *
   * @param senderPeerId 38 bytes: whose key signed the gossip message or holds the connection
   * @returns the address, or undefined when there is no room: all that are known are of the registry
   * @throws ArchiveError PROTOCOL_NETWORK_FOREIGN, PROTOCOL_BINDING_FOREIGN, PROTOCOL_SIGNATURE_INVALID,
   *   PROTOCOL_SEQUENCE_OLD
   */
  take(capabilities: SignedCapabilities, senderPeerId: Uint8Array): string | undefined {
    const { network } = capabilities
    if (network.chainId !== this.network.chainId || network.genesisTimestampMs !== this.network.genesisTimestampMs) {
      throw new ArchiveError('PROTOCOL_NETWORK_FOREIGN', `capabilities on chain ${network.chainId}`)
    }
    if (!equalBytes(capabilities.peerId, senderPeerId)) {
      throw new ArchiveError('PROTOCOL_BINDING_FOREIGN', 'capabilities of another PeerId than the sender')
    }
    const address = readSigner(capabilities)
    const known = this.byAddress.get(address)
    const last = this.lastSequence(address, capabilities.peerId)
    // Before the signature, which takes as long as a thousand of these.
    if (last !== undefined && capabilities.sequence <= last) {
      throw new ArchiveError('PROTOCOL_SEQUENCE_OLD', `sequence ${capabilities.sequence} after ${last}`)
    }
    if (!verifyCapabilities(capabilities)) {
      throw new ArchiveError('PROTOCOL_SIGNATURE_INVALID', 'the signature of capabilities does not verify')
    }
    if (!known && this.byAddress.size >= MAX_KNOWN_NODES && !this.makeRoom()) return undefined
    this.forget(address)
    this.forgetPeer(capabilities)
    this.byAddress.set(address, capabilities)
    this.addressByPeer.set(toHex(capabilities.peerId), address)
    this.changeCount++
    return address
  }

  /** Another number whenever `keep` gives something else. */
  get changes(): number {
    return this.changeCount
  }

  /** What is to be remembered of all: first of those of the registry, then of who was heard of since the start. */
  keep(): KeptBinding[] {
    const heard = this.list().map(({ address, capabilities: { peerId, sequence } }) => ({ address, peerId, sequence }))
    const all = [...heard, ...this.before.values()]
    return [
      ...all.filter(({ address }) => this.isRegistered(address)),
      ...all.filter(({ address }) => !this.isRegistered(address)),
    ]
  }

  /** Puts in force what was kept of others: whose PeerId is whose, not what they said of themselves. */
  restore(kept: readonly KeptBinding[]): void {
    for (const binding of kept) {
      this.before.set(binding.address, binding)
      this.addressByPeer.set(toHex(binding.peerId), binding.address)
    }
  }

  /** Nodes that were heard of since the start: all of the registry, and so many others at most. */
  count(maxStrangers: number): number {
    let registered = 0
    for (const address of this.byAddress.keys()) if (this.isRegistered(address)) registered++
    return registered + Math.min(this.byAddress.size - registered, maxStrangers)
  }

  capabilitiesOf(address: string): SignedCapabilities | undefined {
    return this.byAddress.get(address)
  }

  addressOf(peerId: Uint8Array): string | undefined {
    return this.addressByPeer.get(toHex(peerId))
  }

  list(): { readonly address: string; readonly capabilities: SignedCapabilities }[] {
    return Array.from(this.byAddress, ([address, capabilities]) => ({ address, capabilities }))
  }

  /** Of what this address said last, or the PeerId for another one: who has another wallet counts on. */
  private lastSequence(address: string, peerId: Uint8Array): bigint | undefined {
    const own = this.known(address)?.sequence
    const bound = this.addressOf(peerId)
    const other = bound === undefined ? undefined : this.known(bound)?.sequence
    return own === undefined || (other !== undefined && other > own) ? other : own
  }

  private known(address: string): KeptBinding | SignedCapabilities | undefined {
    return this.byAddress.get(address) ?? this.before.get(address)
  }

  private forget(address: string): void {
    const known = this.known(address)
    if (!known) return
    this.byAddress.delete(address)
    this.before.delete(address)
    this.addressByPeer.delete(toHex(known.peerId))
  }

  /** A PeerId speaks for one address: the wallet behind it was changed. */
  private forgetPeer({ peerId }: SignedCapabilities): void {
    const address = this.addressByPeer.get(toHex(peerId))
    if (address !== undefined) this.forget(address)
  }

  /** Forgets the stranger that spoke longest ago: made-up ones that stayed would shut out all who come later. */
  private makeRoom(): boolean {
    for (const address of this.byAddress.keys()) {
      if (this.isRegistered(address)) continue
      this.forget(address)
      return true
    }
    return false
  }
}
