import { ArchiveError, computeEraRoot, ERA_PERIODS, equalBytes, parseFileEra, toHex } from '../../core/index.ts'
import type { ArchiveFile } from './file-reader.ts'

/**
 * Which eras of a file are those whose roots are trusted: the roots of their 128 periods make them. Of an era that is not whole in the
 * file nothing can be said.
 *
 * @param roots - 32 bytes each, by era
 * @throws ArchiveError STORE_FILE_ERA_OTHER, CORE_ARCHIVE_FILE_INVALID, and of the source
 */
export async function findTrustedEras(
  { source, identity, periods, eras }: ArchiveFile,
  roots: ReadonlyMap<number, Uint8Array>,
): Promise<ReadonlySet<number>> {
  const trusted = new Set<number>()
  const first = periods[0]?.period ?? 0
  for (const place of eras) {
    const { era } = place
    const wanted = roots.get(era)
    if (!wanted) continue
    const { totalBytes, totalChunks } = parseFileEra(await source.read(place.offset, place.length), place)
    const at = era * ERA_PERIODS - first
    const own = periods.slice(at, at + ERA_PERIODS).map(({ root }) => root)
    const root = computeEraRoot({ network: identity.network, era, totalBytes, totalChunks }, own)
    if (!equalBytes(root, wanted)) {
      const message = `era ${era} of ${source.name} has the root ${toHex(root)}, not ${toHex(wanted)}`
      throw new ArchiveError('STORE_FILE_ERA_OTHER', message, { era, root: toHex(root) })
    }
    trusted.add(era)
  }
  return trusted
}
