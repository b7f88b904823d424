import type { PlacementTable } from './placement-table.ts'

/** A node as the registry tells where it is. */
interface RegisteredPlace {
  readonly address: string
  /** Texts that were registered: not one needs to be a multiaddr. */
  readonly p2pAddrs: readonly string[]
  /** Who runs it, by its own word: any text, and of any number of nodes. */
  readonly operator: string
}

/** Who is registered by the table in force. Nobody is while there is none. */
export class RegisteredNodes {
  private readonly placement: { readonly inForce: Pick<PlacementTable, 'snapshot'> | undefined }
  private seen: Pick<PlacementTable, 'snapshot'> | undefined
  /** By address, what it declared, GB. */
  private placementGbs: ReadonlyMap<string, bigint> = new Map()

  constructor(placement: { readonly inForce: Pick<PlacementTable, 'snapshot'> | undefined }) {
    this.placement = placement
  }

  /** Whether there is a registry that tells friends from strangers. */
  get isKnown(): boolean {
    return this.placement.inForce !== undefined
  }

  has(address: string): boolean {
    return this.update().has(address)
  }

  /** What placement counts on; 0 of a node that it does not know. */
  placementGbOf(address: string): bigint {
    return this.update().get(address) ?? 0n
  }

  list(): readonly RegisteredPlace[] {
    return this.placement.inForce?.snapshot.nodes ?? []
  }

  private update(): ReadonlyMap<string, bigint> {
    const { inForce } = this.placement
    if (inForce !== this.seen) {
      this.seen = inForce
      this.placementGbs = new Map(inForce?.snapshot.nodes.map((node) => [node.address, node.placementGb]))
    }
    return this.placementGbs
  }
}
