import { computeTurnRank, ERA_PERIODS, PERIODS_PER_RANK, type Period } from '../../core/index.ts'

/** Periods after the end of an era before the registry takes it (docs/CONTRACT.md). */
const FINAL_PERIODS = 8
const PREFIX = 'massa-storage/anchor/1:'

/**
 * First period in which a node anchors an era, if nobody has by then: nodes go one after the other, in an order that is
 * another one for each era, so that fees are not paid twice.
 *
 * @param era - to be anchored
 * @param eraInForce - a later one, whose nodes these are: what it has left open is taken up anew
 * @param addresses - Massa addresses of the nodes of the placement in force, in any order
 * @returns undefined for whoever is not among them: it has no turn
 */
export function computeAnchorTurn(
  { era, eraInForce, address }: { readonly era: number; readonly eraInForce: number; readonly address: string },
  addresses: readonly string[],
): Period | undefined {
  const rank = computeTurnRank({ prefix: PREFIX, n: era, address }, addresses)
  return rank === undefined ? undefined : eraInForce * ERA_PERIODS + FINAL_PERIODS + rank * PERIODS_PER_RANK
}
