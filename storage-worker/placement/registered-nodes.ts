import type { PlacementTable } from './placement-table.ts'

/** A node as the registry tells where it is. */
interface RegisteredPlace {
  readonly address: string
  /** Texts that were registered: not one needs to be a multiaddr. */
  readonly p2pAddrs: readonly string[]
}

/** Who is registered by the table in force. Nobody is while there is none. */
export class RegisteredNodes {
  private readonly placement: { readonly inForce: Pick<PlacementTable, 'snapshot'> | undefined }
  private seen: Pick<PlacementTable, 'snapshot'> | undefined
  private addresses: ReadonlySet<string> = new Set()

  constructor(placement: { readonly inForce: Pick<PlacementTable, 'snapshot'> | undefined }) {
    this.placement = placement
  }

  /** Whether there is a registry that tells friends from strangers. */
  get isKnown(): boolean {
    return this.placement.inForce !== undefined
  }

  has(address: string): boolean {
    const { inForce } = this.placement
    if (inForce !== this.seen) {
      this.seen = inForce
      this.addresses = new Set(inForce?.snapshot.nodes.map((node) => node.address))
    }
    return this.addresses.has(address)
  }

  list(): readonly RegisteredPlace[] {
    return this.placement.inForce?.snapshot.nodes ?? []
  }
}
