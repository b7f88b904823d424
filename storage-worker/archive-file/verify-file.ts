import {
  computeBodyBytes,
  computeEraRoot,
  computePeriodRoot,
  ERA_PERIODS,
  type ErrorCode,
  equalBytes,
  type FileEra,
  isArchiveError,
  type Manifest,
  type Period,
  parseFileEra,
  toHex,
} from '../../core/index.ts'
import { LinkChain } from '../bootstrap/link-chain.ts'
import type { ByteSource } from './byte-source.ts'
import { checkPeriods, isRestart, unknownEnd } from './check-file.ts'
import type { FileCpu } from './check-period.ts'
import { type ArchiveFile, openArchiveFile } from './file-reader.ts'

/** What is wrong with a file. */
export interface FileDamage {
  /** Absent: of no period. */
  readonly period?: Period
  readonly code: ErrorCode
  /** Names the record. */
  readonly message: string
}

/** What verification found of an archive file. */
export interface FileReport {
  readonly bytes: number
  /** Hex; null while trailer or index cannot be read. */
  readonly root: string | null
  readonly first: Period | null
  readonly last: Period | null
  readonly chainId: string | null
  readonly genesisTimestampMs: number | null
  /** That were checked, damaged ones among them. */
  readonly periods: number
  readonly blocks: number
  readonly operations: number
  /** Periods with operations whose bytes their ids do not bind. */
  readonly unboundPeriods: number
  /** What the file says of eras all of which it holds, true to its periods. */
  readonly eras: readonly { readonly era: number; readonly root: string; readonly anchoredIn: string | null }[]
  readonly damages: readonly FileDamage[]
}

export interface FileProgress {
  readonly done: number
  readonly total: number
  readonly bytes: number
}

/**
 * Checks every byte of an archive file: its records, ids, chunks and roots, every signature, and that its blocks are one chain.
 *
 * @throws ArchiveError STORE_FILE_*: it cannot be read
 */
export async function verifyArchiveFile(
  source: ByteSource,
  cpu: FileCpu,
  onProgress: (progress: FileProgress) => void,
  signal: AbortSignal,
): Promise<FileReport> {
  const damages: FileDamage[] = []
  const file = await openOrNote(source, damages)
  const report = { bytes: source.sizeBytes, periods: 0, blocks: 0, operations: 0, unboundPeriods: 0 }
  if (!file) {
    return {
      ...report,
      root: null,
      first: null,
      last: null,
      chainId: null,
      genesisTimestampMs: null,
      eras: [],
      damages,
    }
  }
  const manifests = new Map<Period, Totals>()
  let chain: LinkChain | undefined
  let bytes = 0
  // Downward: a block says what must stand below it.
  for await (const verdict of checkPeriods(file, { places: file.periods.toReversed() }, cpu)) {
    signal.throwIfAborted()
    const { period, length } = verdict.place
    report.periods++
    bytes += length
    onProgress({ done: report.periods, total: file.periods.length, bytes })
    if (!verdict.checked) {
      damages.push(toDamage(verdict.error, period))
      chain = undefined
      continue
    }
    const { checked, links } = verdict
    report.blocks += links.filter((block) => block !== undefined).length
    report.operations += checked.operations
    if (!checked.isBound) report.unboundPeriods++
    manifests.set(period, totalsOf(checked.period.manifest))
    chain ??= new LinkChain(unknownEnd(period + 1))
    if (!chain.add(period, links)) {
      const message = `blocks of period ${period} are not those that the blocks above it name`
      damages.push({ period, code: 'STORE_FILE_UNLINKED', message })
      chain = undefined
    }
    if (isRestart(period, links)) chain = undefined
  }
  const eras = await checkEras(file, manifests, damages)
  const { identity, periods } = file
  return {
    ...report,
    root: toHex(file.root),
    first: periods[0]?.period ?? null,
    last: periods.at(-1)?.period ?? null,
    chainId: identity.network.chainId.toString(),
    genesisTimestampMs: Number(identity.network.genesisTimestampMs),
    eras,
    damages: damages.toSorted((a, b) => (a.period ?? -1) - (b.period ?? -1)),
  }
}

async function openOrNote(source: ByteSource, damages: FileDamage[]): Promise<ArchiveFile | undefined> {
  try {
    return await openArchiveFile(source)
  } catch (error) {
    damages.push(toDamage(error))
    return undefined
  }
}

/** @throws what is no damage of the file */
function toDamage(error: unknown, period?: Period): FileDamage {
  if (!isArchiveError(error, 'CORE_ARCHIVE_FILE_INVALID')) throw error
  const { code, message } = error
  return { ...(period === undefined ? {} : { period }), code, message }
}

interface Totals {
  readonly root: Uint8Array
  readonly bodyBytes: number
  readonly chunks: number
}

function totalsOf(manifest: Manifest): Totals {
  return { root: computePeriodRoot(manifest), bodyBytes: computeBodyBytes(manifest), chunks: manifest.chunks.length }
}

async function checkEras(
  file: ArchiveFile,
  manifests: ReadonlyMap<Period, Totals>,
  damages: FileDamage[],
): Promise<FileReport['eras']> {
  const sound: { era: number; root: string; anchoredIn: string | null }[] = []
  for (const place of file.eras) {
    try {
      const era = parseFileEra(await file.source.read(place.offset, place.length), place)
      if (isEraOf(era, file, manifests)) {
        sound.push({ era: era.era, root: toHex(era.root), anchoredIn: era.anchor?.registry ?? null })
      } else {
        damages.push({ code: 'CORE_ARCHIVE_FILE_INVALID', message: `era ${era.era} is not that of the periods` })
      }
    } catch (error) {
      damages.push(toDamage(error))
    }
  }
  return sound
}

/** Where one of its periods is damaged nothing can be said of it. */
function isEraOf(said: FileEra, { identity }: ArchiveFile, manifests: ReadonlyMap<Period, Totals>): boolean {
  const periods = Array.from({ length: ERA_PERIODS }, (_, i) => manifests.get(said.era * ERA_PERIODS + i))
  const known = periods.filter((each) => each !== undefined)
  if (known.length < ERA_PERIODS) return true
  const totalBytes = known.reduce((sum, { bodyBytes }) => sum + BigInt(bodyBytes), 0n)
  const totalChunks = known.reduce((sum, { chunks }) => sum + BigInt(chunks), 0n)
  const totals = { network: identity.network, era: said.era, totalBytes, totalChunks }
  const root = computeEraRoot(
    totals,
    known.map(({ root }) => root),
  )
  return said.totalBytes === totalBytes && said.totalChunks === totalChunks && equalBytes(said.root, root)
}
