import { ArchiveFileBuilder, type ArchiveFileHead, type FileEra, type FilePeriod } from '../../core/index.ts'

/** Bytes of an archive file, each behind those before it. */
export type FilePiece =
  | { readonly kind: 'begin' | 'period' | 'era'; readonly parts: readonly Uint8Array[] }
  | {
      readonly kind: 'end'
      readonly parts: readonly Uint8Array[]
      /** 32 bytes */
      readonly root: Uint8Array
      readonly fileBytes: number
    }

/**
 * An archive file of periods as they come; holds one of them in memory, and 44 bytes of each.
 *
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE, and what `periods` throws
 */
export async function* encodeArchiveFile(
  head: ArchiveFileHead,
  periods: AsyncIterable<FilePeriod>,
  /** What is known of the anchor of an era. */
  findAnchor?: (era: number) => Promise<FileEra['anchor'] | undefined>,
): AsyncGenerator<FilePiece> {
  const builder = new ArchiveFileBuilder(head)
  yield { kind: 'begin', parts: builder.begin() }
  for await (const period of periods) {
    yield { kind: 'period', parts: builder.addPeriod(period) }
    const era = builder.endedEra
    if (!era) continue
    const anchor = await findAnchor?.(era.era)
    yield { kind: 'era', parts: builder.addEra({ ...era, ...(anchor ? { anchor } : {}) }) }
  }
  yield { kind: 'end', ...builder.end() }
}
