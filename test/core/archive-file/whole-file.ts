import {
  type ArchivedPeriod,
  ArchiveFileBuilder,
  type ArchiveFileTrailer,
  concatBytes,
  FILE_HEAD_BYTES,
  type FileEra,
  type FilePeriod,
  parseFileEra,
  parseFileHead,
  parseFileIndex,
  parsePeriodSection,
  parseTrailer,
  type StoreIdentity,
  TRAILER_BYTES,
} from '../../../core/index.ts'

/** The bytes of a file of these periods, which follow one another. */
export function buildFile(
  identity: StoreIdentity,
  periods: readonly ArchivedPeriod[],
  describeEra: (era: FileEra) => FileEra = (era) => era,
): Uint8Array {
  const [first, last] = [periods[0]?.summary.period ?? 0, periods.at(-1)?.summary.period ?? 0]
  const builder = new ArchiveFileBuilder({ ...identity, first, last })
  const parts = builder.begin()
  for (const period of periods) {
    parts.push(...builder.addPeriod(period))
    const era = builder.endedEra
    if (era) parts.push(...builder.addEra(describeEra(era)))
  }
  return concatBytes(...parts, ...builder.end().parts)
}

/** Every record of a file. @throws ArchiveError CORE_ARCHIVE_FILE_INVALID */
export function readFile(bytes: Uint8Array): {
  readonly trailer: ArchiveFileTrailer
  readonly periods: readonly FilePeriod[]
  readonly eras: readonly FileEra[]
} {
  const trailer = parseTrailer(bytes.subarray(-TRAILER_BYTES), bytes.length)
  const cut = ({ offset, length }: { offset: number; length: number }) => bytes.subarray(offset, offset + length)
  const index = parseFileIndex(cut(trailer.index), trailer)
  parseFileHead(bytes.subarray(0, FILE_HEAD_BYTES))
  const periods = index.periods.map((place) => parsePeriodSection(cut(place), place))
  return { trailer, periods, eras: index.eras.map((place) => parseFileEra(cut(place), place)) }
}
