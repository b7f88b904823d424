import type { EraAnchor, PlacementSnapshot } from '../../core/index.ts'

/** Whether what is past its retention may be deleted, era by era. */
export type EraRelease = (era: number) => Promise<boolean>

/**
 * While a registry anchors eras nothing goes before its era is anchored: until then the network may need it to agree on
 * the root. Nothing goes either while it cannot be told whether the registry does.
 *
 * @param registry - its address; empty: none, and whatever is past its retention may go
 */
export function createEraRelease(
  registry: string,
  modules: {
    readonly placement: {
      readonly inForce: { readonly snapshot: Pick<PlacementSnapshot, 'requireAnchors'> } | undefined
    }
    readonly anchors: { find(era: number): Promise<EraAnchor | undefined> }
  },
): EraRelease {
  const { placement, anchors } = modules
  return async (era) => {
    if (registry === '') return true
    const table = placement.inForce
    if (!table) return false
    return !table.snapshot.requireAnchors || (await anchors.find(era)) !== undefined
  }
}
