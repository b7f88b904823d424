import { equalBytes } from '../bytes.ts'
import { computePeriodRoot, encodeManifest, type Manifest, parseManifest } from '../manifest.ts'
import type { ArchivedPeriod } from '../ports.ts'
import type { PeriodPlace } from './file-index.ts'
import { encodeFileRecord, fileError, RecordReader } from './file-record.ts'

/** A period as a file holds it. */
export type FilePeriod = Pick<ArchivedPeriod, 'manifest' | 'chunks' | 'seals' | 'executionResults'>

/** The records of a period, in pieces that are not copied. */
export function encodePeriodSection(period: FilePeriod): Uint8Array[] {
  return [
    ...encodeFileRecord('manifest', encodeManifest(period.manifest)),
    ...period.chunks.flatMap((chunk) => encodeFileRecord('chunk', chunk)),
    ...encodeFileRecord('seals', period.seals),
    ...encodeFileRecord('executionResults', period.executionResults),
  ]
}

/**
 * A period of which every record is as it was written, and whose manifest has the root that the index says. What its bytes hash
 * to and what was signed is for the caller to check.
 *
 * @param bytes - of the file, at the place of the period
 * @returns views into `bytes`
 * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID, naming the first record that is wrong
 */
export function parsePeriodSection(bytes: Uint8Array, place: PeriodPlace): FilePeriod {
  const { period, offset } = place
  const records = new RecordReader(bytes, offset)
  const said = records.read('manifest', { period })
  const manifest = parseOwnManifest(said, place)
  const chunks = manifest.chunks.map(({ byteLength }, index) => {
    const record = `chunk ${index}`
    const at = records.offset
    const chunk = records.read('chunk', { period, record })
    if (chunk.length === byteLength) return chunk
    throw fileError({ record, period, offset: at }, `has ${chunk.length} bytes, not ${byteLength}`)
  })
  const seals = records.read('seals', { period })
  const executionResults = records.read('executionResults', { period })
  if (records.isAtEnd) return { manifest, chunks, seals, executionResults }
  throw fileError({ record: 'execution results', period, offset }, 'are not the last record')
}

function parseOwnManifest(bytes: Uint8Array, { period, offset, root }: PeriodPlace): Manifest {
  const place = { record: 'manifest', period, offset }
  let manifest: Manifest
  try {
    manifest = parseManifest(bytes)
  } catch (cause) {
    throw fileError(place, 'is none', cause)
  }
  if (manifest.period !== period) throw fileError(place, `is that of period ${manifest.period}`)
  if (!equalBytes(computePeriodRoot(manifest), root)) throw fileError(place, 'has another root than the index says')
  return manifest
}
