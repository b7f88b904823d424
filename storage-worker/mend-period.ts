import type { Period } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import { BodiesCheck } from './verify-bodies.ts'
import { repairPeriods } from './verify-repair.ts'
import { type Damage, DamageList, type VerifyOptions } from './verify-report.ts'

/**
 * Reads one period again, every chunk hashed and SEALS held against BODY, and writes it anew where something of it is
 * damaged. Unlike `verifyArchive` it looks at no file of LevelDB: these take 30 ms for each 32 MiB of the whole archive.
 *
 * @returns what was damaged, with whether it is gone; nothing where the period is sound
 */
export async function mendPeriod(
  store: LevelChunkStore,
  period: Period,
  refetchPeriod: NonNullable<VerifyOptions['refetchPeriod']>,
  signal: AbortSignal,
): Promise<readonly Damage[]> {
  const { damages, orphans } = await look(store, period, signal)
  if (damages.length === 0) return []
  await repairPeriods(store, { range: { from: period, to: period }, damages, orphans }, refetchPeriod, signal)
  const left = await look(store, period, signal)
  return damages.map((damage) => ({ ...damage, repaired: left.damages.length === 0 }))
}

async function look(store: LevelChunkStore, period: Period, signal: AbortSignal) {
  const damages = new DamageList(true)
  const orphans = new Map<Period, readonly number[]>()
  const check = new BodiesCheck({ from: period, to: period, deep: true }, { store, damages, pool: undefined })
  for await (const page of check.run(signal)) {
    for (const checked of page) if (checked.orphans.length > 0) orphans.set(checked.period, checked.orphans)
  }
  return { damages: damages.all, orphans }
}
