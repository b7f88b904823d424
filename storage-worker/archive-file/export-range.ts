import { ArchiveError, type ChunkStore, type Period } from '../../core/index.ts'

/** What is to be exported; absent ends are those of the archive. */
export interface ExportRange {
  readonly from?: Period | undefined
  readonly to?: Period | undefined
}

/**
 * The periods that are exported, all of which are here.
 *
 * @param what - `whole`: with SEALS and execution results; `body`: BODY is enough
 * @throws ArchiveError STORE_EXPORT_INCOMPLETE, naming the first period that is not
 */
export async function findExportRange(
  store: ChunkStore,
  { from, to }: ExportRange,
  what: 'whole' | 'body',
): Promise<{ readonly first: Period; readonly last: Period }> {
  const archived = await store.readRange()
  const [first, last] = [from ?? archived?.first ?? 0, to ?? archived?.last ?? 0]
  if (!archived || first > last) throw incomplete(first, 'there are no periods to export')
  let due = first
  for await (const { period, heldChunks } of store.listSummaries({ from: first, to: last })) {
    if (period !== due) break
    if (heldChunks !== undefined) throw incomplete(period, `not all chunks of period ${period} are here`)
    if (what === 'whole' && (await store.readHolding(period))) {
      throw incomplete(period, `not all of period ${period} is here`)
    }
    due++
  }
  if (due > last) return { first, last }
  throw incomplete(due, `period ${due} is not archived here: ${archived.first} to ${archived.last} are`)
}

export function incomplete(period: Period, message: string): ArchiveError {
  return new ArchiveError('STORE_EXPORT_INCOMPLETE', message, { period })
}
