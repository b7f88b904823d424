import { ArchiveError, type ChunkStore } from '../core/index.ts'
import { computeRetentionStep, planRetention } from '../storage-worker/index.ts'

/** What a kill can leave undone of an archive that was always kept so: one step that was due, and one that came meanwhile. */
const ROUTINE_STEPS = 2

/**
 * For a `retention_periods` that nobody has set: refuses to delete at once what an archive that was kept so never holds.
 *
 * @param advice - the line that sets it
 * @throws ArchiveError CONFIG_RETENTION_UNSET
 */
export async function checkUnsetRetention(store: ChunkStore, retentionPeriods: number, advice: string): Promise<void> {
  const plan = await planRetention(store, retentionPeriods)
  if (!plan || plan.periods <= ROUTINE_STEPS * computeRetentionStep(retentionPeriods)) return
  const message =
    `nobody has set retention_periods, and the shipped ${retentionPeriods} would delete ${plan.periods} periods of this ` +
    `archive (${plan.from} to ${plan.to}): ${advice}`
  throw new ArchiveError('CONFIG_RETENTION_UNSET', message, { ...plan, retentionPeriods })
}
