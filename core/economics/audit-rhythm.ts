import { PERIODS_PER_DAY } from './chain-time.ts'

/** How often nodes are challenged on chain without a reason. */
export interface AuditRhythm {
  /** Nodes that a challenger may draw; at least 1. */
  readonly nodes: number
  /** Who draws, each at the same frequency; at least 1. */
  readonly challengers: number
  /** From one draw of a challenger to its next; at least 1. */
  readonly frequencyPeriods: number
  /** Least time from one audit of a node to its next, whoever asks; at least 1. */
  readonly intervalPeriods: number
}

/**
 * Audits of one node in a day, expected.
 *
 * Draws come evenly, every s periods, each of any node alike. After an audit the draws within the interval are in vain; of those
 * after it one in n is of this node. So from one audit to the next there are ceil(interval / s) - 1 + n draws.
 */
export function computeAuditsPerDay({ nodes, challengers, frequencyPeriods, intervalPeriods }: AuditRhythm): number {
  const stepPeriods = frequencyPeriods / challengers
  return PERIODS_PER_DAY / (stepPeriods * (Math.ceil(intervalPeriods / stepPeriods) - 1 + nodes))
}

/**
 * The least frequency, in periods from one draw of a challenger to its next, at which a node has at most so many audits a
 * day; at every longer one it has no more either.
 *
 * @param auditsPerDay - above 0
 */
export function findFrequencyPeriods(
  auditsPerDay: number,
  { nodes, challengers, intervalPeriods }: Omit<AuditRhythm, 'frequencyPeriods'>,
): number {
  const leastPeriods = PERIODS_PER_DAY / auditsPerDay
  // The interval alone is long enough.
  if (intervalPeriods >= leastPeriods) return 1
  // s x (ceil(interval / s) - 1 + n) is at least interval + s x (n - 1), and at least s x n.
  const byInterval = nodes > 1 ? (leastPeriods - intervalPeriods) / (nodes - 1) : Number.POSITIVE_INFINITY
  return Math.max(1, Math.ceil(challengers * Math.min(byInterval, leastPeriods / nodes)))
}
