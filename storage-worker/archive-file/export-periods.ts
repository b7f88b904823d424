import { unmarkFromFile } from '../../archiver/attestation.ts'
import {
  type ArchiveFileHead,
  type ChunkStore,
  encodeManifest,
  type FilePeriod,
  type Period,
  parseManifest,
} from '../../core/index.ts'
import { type ExportRange, findExportRange, incomplete } from './export-range.ts'

/** While one is written: the manifest of each is read before its values, and that takes the way to the disk twice. */
const PERIODS_AHEAD = 2

/** One of the values of a period, on its way to whoever writes the file: as bytes in this process, as base64 to another. */
export class ExportedValue {
  readonly value: 'manifest' | 'chunk' | 'seals' | 'executionResults'
  readonly bytes: Uint8Array

  constructor(value: ExportedValue['value'], bytes: Uint8Array) {
    this.value = value
    this.bytes = bytes
  }

  toJSON(): { readonly value: string; readonly base64: string } {
    const { buffer, byteOffset, length } = this.bytes
    return { value: this.value, base64: Buffer.from(buffer, byteOffset, length).toString('base64') }
  }
}

/** What an export of periods begins with. */
export async function describeExport(store: ChunkStore, range: ExportRange): Promise<ArchiveFileHead> {
  return { ...store.identity, ...(await findExportRange(store, range, 'whole')) }
}

/**
 * The values of periods, in the order of a file; the next ones are read meanwhile.
 *
 * @throws ArchiveError STORE_EXPORT_INCOMPLETE when one has gone, and of the store
 */
export async function* readExport(
  store: ChunkStore,
  { first, last }: { readonly first: Period; readonly last: Period },
): AsyncGenerator<ExportedValue> {
  const underWay: Promise<FilePeriod>[] = []
  let next = first
  for (let period = first; period <= last; period++) {
    for (; next <= last && underWay.length <= PERIODS_AHEAD; next++) {
      const read = readPeriod(store, next)
      // Heard when its turn comes.
      read.catch(() => undefined)
      underWay.push(read)
    }
    const { manifest, chunks, seals, executionResults } = (await underWay.shift()) as FilePeriod
    yield new ExportedValue('manifest', encodeManifest(manifest))
    for (const chunk of chunks) yield new ExportedValue('chunk', chunk)
    yield new ExportedValue('seals', seals)
    yield new ExportedValue('executionResults', executionResults)
  }
}

async function readPeriod(store: ChunkStore, period: Period): Promise<FilePeriod> {
  const manifest = await store.readManifest(period)
  const [seals, results] = await Promise.all([store.readSeals(period), store.readExecutionResults(period)])
  const chunks = await Promise.all((manifest?.chunks ?? []).map((_, index) => store.readChunk(period, index)))
  const held = chunks.filter((chunk) => chunk !== undefined)
  if (!manifest || !seals || !results || held.length < chunks.length) {
    throw incomplete(period, `not all of period ${period} is here any more`)
  }
  return { manifest, chunks: held, seals, executionResults: unmarkFromFile(results) }
}

/** Puts the values that `readExport` gives together again. */
export async function* joinExport(
  values: AsyncIterable<Pick<ExportedValue, 'value' | 'bytes'>>,
): AsyncGenerator<FilePeriod> {
  let manifest: FilePeriod['manifest'] | undefined
  let chunks: Uint8Array[] = []
  let seals: Uint8Array | undefined
  for await (const { value, bytes } of values) {
    if (value === 'manifest') {
      manifest = parseManifest(bytes)
      chunks = []
    } else if (value === 'chunk') chunks.push(bytes)
    else if (value === 'seals') seals = bytes
    else if (manifest && seals) yield { manifest, chunks, seals, executionResults: bytes }
  }
}
