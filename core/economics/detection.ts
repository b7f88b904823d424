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
