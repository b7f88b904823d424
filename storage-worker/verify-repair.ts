import { type ArchivedPeriod, computePeriodRoot, equalBytes, type Holding, type Period } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import { keepIntact } from './keep-intact.ts'
import { describePlace, EXECUTION_RESULTS } from './keyspace.ts'
import { decodeSummary, summaryKey } from './period-index.ts'
import type { OpenPeriods } from './table-periods.ts'
import type { Damage, VerifyOptions } from './verify-report.ts'

const RESULTS = describePlace(EXECUTION_RESULTS)

export interface RepairJob {
  readonly range: OpenPeriods
  readonly damages: readonly Damage[]
  /** Places of values that belong to no manifest, or to no chunk that is held, by period. */
  readonly orphans: ReadonlyMap<Period, readonly number[]>
}

/**
 * Writes anew what is damaged, as far as it can be had. What came of it a second look has to say (`confirmRepairs`).
 *
 * @returns the periods whose execution results were damaged: what a node gives has none
 */
export async function repairPeriods(
  store: LevelChunkStore,
  { range, damages, orphans }: RepairJob,
  refetchPeriod: VerifyOptions['refetchPeriod'],
  signal?: AbortSignal,
): Promise<ReadonlySet<Period>> {
  const lost = new Set<Period>()
  for (const [period, places] of orphans) await store.deleteOrphans(period, places)
  const damaged = new Set(damages.flatMap((damage) => (isOfBodies(damage) ? [damage.period ?? 0] : [])))
  for (const period of damaged) {
    signal?.throwIfAborted()
    const fetched = await refetchPeriod?.(period)
    const holding = await readHolding(store, period)
    // A node that has forgotten a block of it, or is on another chain, gives another period.
    if (!fetched || !(await isRecorded(store, fetched))) {
      if (holding === 'damaged') await store.restoreHolding(period)
      continue
    }
    const kept = await keepIntact(store, fetched)
    const part = holding === 'damaged' ? undefined : holding
    await store.replacePeriod(kept.period, part)
    if (kept.areResultsLost && part?.hasExecutionResults !== false) lost.add(period)
  }
  if (damages.some((damage) => damage.what === 'index')) await store.rebuildIndex(range)
  return lost
}

/** The damages, and for each of these periods that its execution results are gone. */
export function nameLostResults(damages: readonly Damage[], lost: ReadonlySet<Period>): Damage[] {
  const loss = { lost: true, note: 'no node gives them again: the period is kept without them' } as const
  const unnamed = new Set(lost)
  const named = damages.map((damage): Damage => {
    const { period, what } = damage
    if (period === undefined || what !== RESULTS || !unnamed.delete(period)) return damage
    return { ...damage, ...loss }
  })
  const others = [...unnamed].map(
    (period): Damage => ({
      period,
      what: RESULTS,
      code: 'STORE_VALUE_MISSING',
      repairable: true,
      repaired: true,
      ...loss,
    }),
  )
  return [...named, ...others]
}

/**
 * The damages, each with whether it is gone.
 *
 * @param isSoundNow - looks at a period again: 'absent' when nothing of it is visible
 */
export async function confirmRepairs(
  damages: readonly Damage[],
  isSoundNow: (period: Period) => Promise<boolean | 'absent'>,
): Promise<Damage[]> {
  const looks = new Map<Period, boolean | 'absent'>()
  const confirmed: Damage[] = []
  for (const damage of damages) {
    const { period } = damage
    if (period === undefined || damage.repaired !== undefined) {
      confirmed.push(damage)
      continue
    }
    const look = looks.get(period) ?? (await isSoundNow(period))
    looks.set(period, look)
    confirmed.push({ ...damage, repaired: look === 'absent' ? damage.what === 'index' : look })
  }
  return confirmed
}

async function readHolding(store: LevelChunkStore, period: Period): Promise<Holding | 'damaged' | undefined> {
  try {
    return await store.readHolding(period)
  } catch {
    // By a damaged manifest, too.
    return 'damaged'
  }
}

function isOfBodies({ period, what, code }: Damage): boolean {
  return period !== undefined && what !== 'index' && code !== 'STORE_VALUE_ORPHANED'
}

/**
 * Whether it is the period that was archived: it has the root of its manifest, or that of its summary in the index.
 *
 * Either may be the damaged one, and whole all the same: that of another period, in the wrong place.
 */
async function isRecorded(store: LevelChunkStore, { manifest, summary }: ArchivedPeriod): Promise<boolean> {
  const { period } = manifest
  const own = await store.readManifest(period).catch(() => undefined)
  if (own?.period === period && equalBytes(computePeriodRoot(own), summary.root)) return true
  const value = await store.index.get(summaryKey(period))
  const recorded = value && decodeSummary(period, value)
  return recorded !== undefined && equalBytes(recorded.root, summary.root)
}
