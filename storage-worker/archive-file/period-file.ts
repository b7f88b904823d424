import { type ChunkStore, concatBytes, type Period } from '../../core/index.ts'
import { encodeArchiveFile } from './encode-file.ts'
import { describeExport, joinExport, readExport } from './export-periods.ts'

/**
 * The archive file of one period.
 *
 * @returns `root`: 32 bytes, of the file
 * @throws ArchiveError STORE_EXPORT_INCOMPLETE when not all of it is here; of the store
 */
export async function makePeriodFile(
  store: ChunkStore,
  period: Period,
): Promise<{ readonly bytes: Uint8Array; readonly root: Uint8Array }> {
  const head = await describeExport(store, { from: period, to: period })
  const parts: Uint8Array[] = []
  let root = new Uint8Array()
  for await (const piece of encodeArchiveFile(head, joinExport(readExport(store, head)))) {
    parts.push(...piece.parts)
    if (piece.kind === 'end') root = Uint8Array.from(piece.root)
  }
  return { bytes: concatBytes(...parts), root }
}
