import { isStoreFailure } from '../../archiver/store-watch.ts'
import { type ChunkStore, ERA_PERIODS, type EraAnchor, type ErrorCode, type Period, toHex } from '../../core/index.ts'
import type { EraDifference } from './era-differences.ts'
import type { GatheredEra } from './era-gatherer.ts'
import { computeLocalEra, type LocalEra } from './local-era.ts'

export interface ReportErasModules {
  readonly store: Pick<ChunkStore, 'identity' | 'readManifest' | 'readRange'>
  /** Of an `AnchoredEras`. */
  readonly anchors: {
    findNow(eras: readonly number[]): Promise<readonly (EraAnchor | undefined)[]>
    readonly failing: { readonly code: ErrorCode; readonly message: string } | undefined
  }
  /** What others say; undefined where sidecars do not meet. */
  readonly peers: { listOpen(): readonly GatheredEra[]; listDifferences(): readonly EraDifference[] } | undefined
}

/** An era as JSON: roots in hex, u64 as decimal texts. */
export interface EraReport {
  readonly era: number
  readonly firstPeriod: Period
  readonly lastPeriod: Period
  readonly missingPeriods: number
  readonly firstMissing: Period | null
  /** Null while a period is missing or damaged. */
  readonly own: EraTotalsReport | null
  /** Why it cannot be computed from what is archived. */
  readonly damage: { readonly code: ErrorCode; readonly message: string } | null
  /** Null when it is not, or nobody can tell. */
  readonly anchored: (EraTotalsReport & { readonly placementRoot: string; readonly anchoredPeriod: string }) | null
  /** Nodes that sign what this archive has, as far as they are known; null when nobody is asked any more. */
  readonly signatures: number | null
  readonly differences: readonly EraDifference[]
}

interface EraTotalsReport {
  readonly root: string
  readonly totalBytes: string
  readonly totalChunks: string
}

/** Eras that are over, the newest first, as far as the archive reaches. @param limit - at most */
export async function listEras(modules: ReportErasModules, limit: number): Promise<EraReport[]> {
  const range = await modules.store.readRange()
  if (!range) return []
  const oldest = Math.floor(range.first / ERA_PERIODS)
  const newest = Math.floor((range.last + 1) / ERA_PERIODS) - 1
  const count = Math.max(0, Math.min(limit, newest - oldest + 1))
  return await reportEras(
    modules,
    Array.from({ length: count }, (_, i) => newest - i),
  )
}

/** Of these eras, also of those of which nothing is archived here. */
export async function reportEras(modules: ReportErasModules, eras: readonly number[]): Promise<EraReport[]> {
  const anchors = await modules.anchors.findNow(eras)
  const reports: EraReport[] = []
  for (const [i, era] of eras.entries()) reports.push(await report(modules, era, anchors[i]))
  return reports
}

async function report(
  { store, peers }: ReportErasModules,
  era: number,
  anchor: EraAnchor | undefined,
): Promise<EraReport> {
  const local = await readLocal(store, era)
  const open = peers?.listOpen().find((each) => each.era === era)
  return {
    era,
    firstPeriod: era * ERA_PERIODS,
    lastPeriod: (era + 1) * ERA_PERIODS - 1,
    ...local,
    anchored: anchor
      ? {
          ...reportTotals(anchor),
          placementRoot: toHex(anchor.placementRoot),
          anchoredPeriod: anchor.anchoredPeriod.toString(),
        }
      : null,
    signatures: open ? open.signatures.size : null,
    differences: peers?.listDifferences().filter((each) => each.era === era) ?? [],
  }
}

/** The local half of a report. */
export function reportLocalEra({ missing, totals }: LocalEra) {
  return {
    missingPeriods: missing.length,
    firstMissing: missing[0] ?? null,
    own: totals ? reportTotals(totals) : null,
  }
}

async function readLocal(store: ReportErasModules['store'], era: number) {
  try {
    return { ...reportLocalEra(await computeLocalEra(store, era)), damage: null }
  } catch (error) {
    if (!isStoreFailure(error)) throw error
    return { missingPeriods: 0, firstMissing: null, own: null, damage: { code: error.code, message: error.message } }
  }
}

function reportTotals(totals: {
  readonly root: Uint8Array
  readonly totalBytes: bigint
  readonly totalChunks: bigint
}): EraTotalsReport {
  const { root, totalBytes, totalChunks } = totals
  return { root: toHex(root), totalBytes: totalBytes.toString(), totalChunks: totalChunks.toString() }
}
