import type { PlacementTable, PlacementWatch } from '../../storage-worker/index.ts'

/** What is computed of a table, once for each; undefined while none is in force. */
export function ofTable<T>(
  placement: Pick<PlacementWatch, 'inForce'>,
  compute: (table: PlacementTable) => T,
): () => T | undefined {
  let known: { readonly table: PlacementTable; readonly value: T } | undefined
  return () => {
    const table = placement.inForce
    if (table && known?.table !== table) known = { table, value: compute(table) }
    return table && known?.value
  }
}
