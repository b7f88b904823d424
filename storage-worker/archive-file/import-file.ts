import {
  ArchiveError,
  type ChunkStore,
  ERA_PERIODS,
  equalBytes,
  type Period,
  type PeriodPlace,
  toHex,
} from '../../core/index.ts'
import { checkIdentity } from '../store-identity.ts'
import type { ByteSource } from './byte-source.ts'
import type { FileCpu } from './check-period.ts'
import { type ArchiveFile, openArchiveFile } from './file-reader.ts'
import { RunImport } from './import-run.ts'
import { findTrustedEras } from './trusted-eras.ts'
import type { FileProgress } from './verify-file.ts'

export interface ImportOptions {
  /** Hex, of the file: somebody who is trusted vouches for it. Another one is refused. */
  readonly root?: string | undefined
  /** 32 bytes, by era: such an era of the file that has another one is refused. */
  readonly eraRoots?: ReadonlyMap<number, Uint8Array> | undefined
  /** Whoever archives meanwhile goes on from the archive as it was: only what is below and between is taken. */
  readonly isRunning?: boolean
}

export interface ImportModules {
  readonly store: ChunkStore
  readonly cpu: FileCpu
  /** Of periods that are on disk now, from the newest down. */
  readonly onImported?: ((period: Period) => Promise<void>) | undefined
  /** For tests: of periods that wait for proof. */
  readonly maxWaitingBytes?: number
}

export interface PeriodSpan {
  readonly from: Period
  readonly to: Period
}

export interface ImportReport {
  /** Hex */
  readonly root: string
  readonly first: Period
  readonly last: Period
  /** Written now. */
  readonly imported: number
  /** That were archived before. */
  readonly held: number
  /** Of those that were written: so many are bound by a root that is trusted. */
  readonly rooted: number
  /** What was written and no such root, nor what is archived above it, proves: the word of whoever gave the file. Descending. */
  readonly unproven: readonly PeriodSpan[]
}

/**
 * Brings the periods of an archive file into an archive that lacks them, from the newest down: each is verified as by
 * `verifyArchiveFile`, and held against what is archived above it before it is written. What is archived stays as it is.
 *
 * What a trusted root binds is what the network archived: contents of operations are not hashed against their ids then. SEALS stand under
 * no root, and each of their signatures is verified all the same.
 *
 * Nothing is kept of an import that ends early but the periods that it has written: the next one goes on below them.
 *
 * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID, STORE_FILE_*, STORE_IDENTITY_MISMATCH; STORE_PERIOD_CONFLICT before anything is
 *   written when another content is archived; API_IMPORT_APART; what writing throws, such as STORE_QUOTA_FULL
 */
export async function importArchiveFile(
  source: ByteSource,
  options: ImportOptions,
  modules: ImportModules,
  onProgress: (progress: FileProgress) => void,
  signal: AbortSignal,
): Promise<ImportReport> {
  const { store } = modules
  const file = await openArchiveFile(source)
  const root = toHex(file.root)
  if (options.root !== undefined && options.root !== root) {
    throw new ArchiveError('STORE_FILE_ROOT_OTHER', `${source.name} has the root ${root}, not ${options.root}`, {
      root,
    })
  }
  checkIdentity(store.identity, file.identity)
  const eras = await findTrustedEras(file, options.eraRoots ?? new Map())
  const isRooted = (period: Period) => options.root !== undefined || eras.has(Math.floor(period / ERA_PERIODS))
  const wanted = await listWanted(store, file)
  const runs = splitRuns(wanted)
  if (options.isRunning) await refuseApart(store, runs)
  const total = wanted.length
  const unproven: PeriodSpan[] = []
  let imported = 0
  let rooted = 0
  let bytes = 0
  for (const places of runs) {
    const run = new RunImport(
      { file, places, isRooted },
      {
        ...modules,
        onWritten: (place, isProven) => {
          imported++
          if (isRooted(place.period)) rooted++
          bytes += place.length
          if (!isProven) note(unproven, place.period)
          onProgress({ done: imported, total, bytes })
        },
      },
    )
    await run.run(signal)
  }
  const [first, last] = [file.periods[0]?.period ?? 0, file.periods.at(-1)?.period ?? 0]
  return { root, first, last, imported, held: file.periods.length - total, rooted, unproven }
}

/** What is not archived, or not all of it, descending. @throws ArchiveError STORE_PERIOD_CONFLICT */
async function listWanted(store: ChunkStore, { periods }: ArchiveFile): Promise<readonly PeriodPlace[]> {
  const [from, to] = [periods[0]?.period ?? 0, periods.at(-1)?.period ?? 0]
  const held = new Set<Period>()
  const conflicts: Period[] = []
  for await (const { period, root, heldChunks } of store.listSummaries({ from, to })) {
    if (!equalBytes(root, periods[period - from]?.root ?? new Uint8Array())) conflicts.push(period)
    else if (heldChunks === undefined && !(await store.readHolding(period))) held.add(period)
  }
  const [period] = conflicts
  if (period !== undefined) {
    const others = conflicts.length === 1 ? '' : `, and ${conflicts.length - 1} more up to ${conflicts.at(-1)}`
    const message = `period ${period} is archived with another root than in the file${others}: nothing was imported`
    throw new ArchiveError('STORE_PERIOD_CONFLICT', message, { period, conflicts: conflicts.length })
  }
  return periods.filter((place) => !held.has(place.period)).toReversed()
}

/** Places that follow one another downward. */
function splitRuns(places: readonly PeriodPlace[]): PeriodPlace[][] {
  const runs: PeriodPlace[][] = []
  for (const place of places) {
    const run = runs.at(-1)
    if (run?.at(-1)?.period === place.period + 1) run.push(place)
    else runs.push([place])
  }
  return runs
}

async function refuseApart(store: ChunkStore, runs: readonly (readonly PeriodPlace[])[]): Promise<void> {
  for (const [top] of runs) {
    if (!top || (await store.readManifest(top.period + 1))) continue
    const message = `period ${top.period} is not right below what the running sidecar has archived`
    throw new ArchiveError('API_IMPORT_APART', message, { period: top.period })
  }
}

/** @param period - below all that were noted */
function note(spans: PeriodSpan[], period: Period): void {
  const last = spans.at(-1)
  if (last?.from === period + 1) spans[spans.length - 1] = { from: period, to: last.to }
  else spans.push({ from: period, to: period })
}
