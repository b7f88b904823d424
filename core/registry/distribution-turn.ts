import { computeTurnRank, PERIODS_PER_RANK } from '../turn-rank.ts'
import type { Period } from '../units.ts'

const PREFIX = 'massa-storage/distribute/1:'

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
 * First period in which a node distributes, if nobody has by then: nodes go one after the other, in an order that is
 * another one for each distribution, so that fees are not paid twice.
 *
 * @param duePeriod - see `computeDuePeriod`
 * @param addresses - Massa addresses of the nodes of the placement in force, in any order
 * @returns undefined for whoever is not among them: it has no turn
 */
export function computeDistributionTurn(
  { duePeriod, address }: { readonly duePeriod: Period; readonly address: string },
  addresses: readonly string[],
): Period | undefined {
  const rank = computeTurnRank({ prefix: PREFIX, n: duePeriod, address }, addresses)
  return rank === undefined ? undefined : duePeriod + 1 + rank * PERIODS_PER_RANK
}
