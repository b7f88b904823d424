import type { AuditRhythm } from './audit-rhythm.ts'
import { PERIODS_PER_DAY } from './chain-time.ts'

/**
 * Chance that at least one of so many draws finds something that is not there.
 *
 * @param missingShare - of the bytes that a node must have, 0 to 1: draws go by byte
 * @param draws - independent of each other; may be a mean that is no whole number
 */
export function computeCatchChance(missingShare: number, draws: number): number {
  if (missingShare >= 1) return draws > 0 ? 1 : 0
  // Not 1 - (1 - share)^draws, which loses digits where the share is small.
  return -Math.expm1(draws * Math.log1p(-missingShare))
}

/** Draws that find something missing with this chance, rounded up. @param chance - above 0, below 1 */
export function findDrawsForChance(missingShare: number, chance: number): number {
  return missingShare >= 1 ? 1 : Math.ceil(Math.log1p(-chance) / Math.log1p(-missingShare))
}

/**
 * Chance that a node that lacks something fails a challenge within so many days.
 *
 * Exact for one challenger, whose draws come evenly; `computeCatchChance` of the mean number of challenges is more, since on some
 * days a node is drawn less often.
 *
 * @param missingShare - of the bytes that the node must have
 * @param audits.challenges - chunks of one audit, each drawn by byte
 * @remarks O(days x challengers / frequency) time, and a number for each draw of one interval.
 */
export function computeChallengeChance(
  missingShare: number,
  { nodes, challengers, frequencyPeriods, intervalPeriods }: AuditRhythm,
  { challenges, days }: { readonly challenges: number; readonly days: number },
): number {
  const stepPeriods = frequencyPeriods / challengers
  const draws = Math.floor((days * PERIODS_PER_DAY) / stepPeriods)
  const wasted = Math.ceil(intervalPeriods / stepPeriods) - 1
  const escaping = (1 - missingShare) ** challenges
  // Chance to fail nothing from each draw on, when the node may be audited at it; of those that an interval reaches.
  const reach = Math.min(draws, wasted + 1) + 1
  const clean = new Float64Array(reach).fill(1)
  for (let draw = draws - 1; draw >= 0; draw--) {
    const spared = clean[(draw + 1) % reach] ?? 1
    const audited = escaping * (clean[Math.min(draws, draw + 1 + wasted) % reach] ?? 1)
    clean[draw % reach] = spared + (audited - spared) / nodes
  }
  return 1 - (clean[0] ?? 1)
}
