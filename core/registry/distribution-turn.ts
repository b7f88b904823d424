import { computeTurnRank } from '../turn-rank.ts'
import type { Period } from '../units.ts'

const PREFIX = 'massa-storage/distribute/1:'
/**
 * Between one node and the next: 31 s until a call is in a block, and two nodes may see up to a period apart that it is due and
 * what the other one did. There is no hurry.
 */
const PERIODS_BETWEEN = 4

/**
 * The period that `distributeRewards` is to be called for: the newest multiple of `everyPeriods` that is over.
 *
 * @param period - of the chain
 * @returns undefined before the first one
 */
export function computeDuePeriod(period: Period, everyPeriods: number): Period | undefined {
  const due = Math.floor((period - 1) / everyPeriods) * everyPeriods
  return due > 0 ? due : undefined
}

/**
 * How long a node leaves it to others, from when it first saw that a distribution is due: nodes go one after the other, in an
 * order that is another one for each distribution, so that fees are not paid twice. It is not counted from the due period:
 * where much is final at once all turns would have come.
 *
 * @param duePeriod - see `computeDuePeriod`
 * @param addresses - Massa addresses of the nodes of the placement in force, in any order
 * @returns periods of the chain's clock; undefined for whoever is not among them: it has no turn
 */
export function computeDistributionWait(
  { duePeriod, address }: { readonly duePeriod: Period; readonly address: string },
  addresses: readonly string[],
): number | undefined {
  const rank = computeTurnRank({ prefix: PREFIX, n: duePeriod, address }, addresses)
  return rank === undefined ? undefined : rank * PERIODS_BETWEEN
}
