import { type ChunkStore, ERA_PERIODS, type Period } from '../core/index.ts'
import type { EraRelease } from './anchors/era-release.ts'

/** Room for restarts of the follower and for challenges about the oldest kept period. */
const MARGIN_PERIODS = 16
/** Small archives are cut in small steps, so that each compaction has something to do. */
const STEP_PERIODS = 16

export interface PeriodRange {
  readonly from: Period
  readonly to: Period
}

/**
 * Which periods may go: all but the last `retentionPeriods` + 16, in whole eras of 128 when at least 128 are kept, else
 * in steps of 16. 0 keeps everything. The newest period always stays.
 */
export function computeRetentionCut(
  range: { readonly first: Period; readonly last: Period },
  retentionPeriods: number,
): PeriodRange | undefined {
  if (retentionPeriods === 0) return undefined
  const keepFrom = range.last - (retentionPeriods + MARGIN_PERIODS) + 1
  const step = computeRetentionStep(retentionPeriods)
  const to = Math.floor(keepFrom / step) * step - 1
  return to >= range.first ? { from: range.first, to } : undefined
}

/** Deletions end at a multiple of this many periods. */
export function computeRetentionStep(retentionPeriods: number): number {
  return retentionPeriods >= ERA_PERIODS ? ERA_PERIODS : STEP_PERIODS
}

/**
 * The newest period with which an archive that begins at `first` has something to delete.
 *
 * @param retentionPeriods - at least 1
 */
export function computeNextRetentionAt(first: Period, retentionPeriods: number): Period {
  const step = computeRetentionStep(retentionPeriods)
  const boundary = (Math.floor(first / step) + 1) * step
  return boundary + retentionPeriods + MARGIN_PERIODS - 1
}

export interface RetentionPlan extends PeriodRange {
  /** Archived periods in the range. */
  readonly periods: number
  /** Of their chunks on this disk. */
  readonly bodyBytes: number
}

/**
 * What `applyRetention` would delete now; `undefined` when nothing is due.
 *
 * @param mayGo - where deleting ends: with the first era of which this is false
 */
export async function planRetention(
  store: ChunkStore,
  retentionPeriods: number,
  mayGo: EraRelease = everyEra,
): Promise<RetentionPlan | undefined> {
  const range = await store.readRange()
  const due = range && computeRetentionCut(range, retentionPeriods)
  const cut = due && (await endAtFirstKept(due, mayGo))
  if (!cut) return undefined
  let periods = 0
  let bodyBytes = 0
  for await (const summary of store.listSummaries(cut)) {
    periods++
    bodyBytes += summary.heldChunks === undefined ? summary.bodyBytes : await readHeldBytes(store, summary.period)
  }
  return { ...cut, periods, bodyBytes }
}

const everyEra: EraRelease = async () => true

async function endAtFirstKept({ from, to }: PeriodRange, mayGo: EraRelease): Promise<PeriodRange | undefined> {
  for (let era = Math.floor(from / ERA_PERIODS); era * ERA_PERIODS <= to; era++) {
    if (await mayGo(era)) continue
    const end = era * ERA_PERIODS - 1
    return end >= from ? { from, to: end } : undefined
  }
  return { from, to }
}

async function readHeldBytes(store: ChunkStore, period: Period): Promise<number> {
  const manifest = await store.readManifest(period)
  const missing = new Set((await store.readHolding(period))?.missingChunks)
  return (manifest?.chunks ?? []).reduce((sum, chunk, index) => sum + (missing.has(index) ? 0 : chunk.byteLength), 0)
}

/** Deletes what is due and says what it was. */
export async function applyRetention(
  store: ChunkStore,
  retentionPeriods: number,
  mayGo?: EraRelease,
): Promise<RetentionPlan | undefined> {
  const plan = await planRetention(store, retentionPeriods, mayGo)
  if (plan) await store.deletePeriods(plan.from, plan.to)
  return plan
}
