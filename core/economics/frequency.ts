import { computeAuditsPerDay, findFrequencyPeriods } from './audit-rhythm.ts'
import { computeCostsAt, readRhythm } from './chain-costs.ts'
import type { EconomicsInput } from './economics-input.ts'
import { computeMarginAt } from './margin.ts'

/** Of what a node is paid, that routine challenges may take in fees. */
export const MAX_FEE_SHARE = 0.1

/** How often nodes may be challenged without a reason. */
export interface FrequencyAdvice {
  /** From one draw of a challenger to its next. */
  readonly frequencyPeriods: number
  /** Audits of a node in a day that it gives. */
  readonly auditsPerDay: number
  /** That the fees leave room for; more than `auditsPerDay` where the interval keeps nodes from as many. */
  readonly mostAuditsPerDay: number
}

/**
 * The most frequent routine challenges that leave fees below a tenth of what a node is paid.
 *
 * @returns undefined when they are above it without a single challenge
 */
export function adviseFrequency(input: EconomicsInput): FrequencyAdvice | undefined {
  const fixed = computeMarginAt(input, 0)
  const each = Number(computeCostsAt(input, 1).spentNanoMas - fixed.chain.spentNanoMas)
  const left = Number(fixed.paidNanoMasPerDay) * MAX_FEE_SHARE - Number(fixed.chain.spentNanoMas)
  if (left <= 0) return undefined
  const mostAuditsPerDay = left / each
  const rhythm = readRhythm(input)
  const frequencyPeriods = findFrequencyPeriods(mostAuditsPerDay, rhythm)
  return { frequencyPeriods, auditsPerDay: computeAuditsPerDay({ ...rhythm, frequencyPeriods }), mostAuditsPerDay }
}
