import * as z from 'zod'
import { callSidecar, parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findSidecar } from '../find-sidecar.ts'
import { formatCount, type Output } from '../output.ts'

const difference = z.object({ field: z.string(), expected: z.string(), found: z.string() })
const audited = z.object({
  challengeId: z.string(),
  issuer: z.string(),
  node: z.string(),
  chunkId: z.string(),
  issuedPeriod: z.number(),
  verdict: z.enum(['asDrawn', 'differs', 'unchecked', 'undrawn']),
  differences: z.array(difference),
  lacks: z.array(z.string()),
})
const drawAudit = z.object({
  period: z.number(),
  frequencyPeriods: z.number(),
  isDue: z.boolean(),
  isAnchored: z.boolean().nullable(),
  lastIssuePeriod: z.number(),
  archivedTo: z.number().nullable(),
  challenges: z.array(audited),
  notIssued: z.array(z.object({ issuer: z.string(), challengeId: z.string(), node: z.string(), chunkId: z.string() })),
  lacks: z.array(z.string()),
})
type DrawAudit = z.infer<typeof drawAudit>
type Audited = z.infer<typeof audited>

const VERDICT_WORDS: { readonly [V in Audited['verdict']]: string } = {
  asDrawn: 'as drawn',
  differs: 'not as drawn',
  unchecked: 'unchecked',
  undrawn: 'no draw',
}
const SHOWN_DIGITS = 12
/** Bodies and execution results of more than a hundred periods are read. */
const LIMITS = { answerMs: 120_000, silenceMs: 120_000 }

/**
 * Has the running sidecar recompute the draws of a period.
 *
 * @returns 0 when there are some and all are as drawn, 5 when one is not, 4 when there are none or something cannot be checked
 */
export async function challengesAudit(context: Context, period: number, signal: AbortSignal): Promise<number> {
  const { output } = context
  const sidecar = await findSidecar(context.load().config, signal)
  const json = await callSidecar(sidecar, `/v1/draws/${period}`, { signal }, LIMITS)
  const { audit } = parseAnswer(z.object({ audit: drawAudit }), json)
  output.value(audit)
  if (audit.challenges.length > 0) showChallenges(output, audit.challenges)
  for (const lack of audit.lacks) output.markedLine('yellow', 'LACKS', ` ${lack}`)
  for (const { issuer, challengeId, node, chunkId } of audit.notIssued) {
    const what = `${challengeId.slice(0, SHOWN_DIGITS)}, chunk ${chunkId.slice(0, SHOWN_DIGITS)} of ${node}`
    output.line(`not issued by ${issuer}: ${what}`)
  }
  output.line(summarise(audit))
  const { archivedTo, lastIssuePeriod } = audit
  if (audit.isDue && archivedTo !== null && archivedTo < lastIssuePeriod) {
    output.remark(`Challenges by this draw may still come, up to period ${lastIssuePeriod}; ${archivedTo} is archived.`)
  }
  return judge(audit)
}

function judge({ challenges, lacks }: DrawAudit): number {
  if (challenges.some(({ verdict }) => verdict === 'differs')) return EXIT_CODES.invalid.code
  const isAllSeen = lacks.length === 0 && challenges.every(({ verdict }) => verdict !== 'unchecked')
  const isAnyDrawn = challenges.some(({ verdict }) => verdict === 'asDrawn')
  return isAllSeen && isAnyDrawn ? EXIT_CODES.ok.code : EXIT_CODES.notFound.code
}

function showChallenges(output: Output, challenges: readonly Audited[]): void {
  output.table([
    ['issued', 'id', 'challenger', 'node', 'chunk', 'draw'],
    ...challenges.map(({ issuedPeriod, challengeId, issuer, node, chunkId, verdict }) => [
      `${issuedPeriod}`,
      challengeId.slice(0, SHOWN_DIGITS),
      issuer,
      node,
      chunkId.slice(0, SHOWN_DIGITS),
      VERDICT_WORDS[verdict],
    ]),
  ])
  const idsOf = new Map<string, string[]>()
  for (const { challengeId, differences, lacks } of challenges) {
    const id = challengeId.slice(0, SHOWN_DIGITS)
    for (const { field, expected, found } of differences) {
      output.markedLine('red', 'DIFFERS', ` ${id}: ${field} is ${found}, by the draw ${expected}`)
    }
    for (const lack of lacks) idsOf.set(lack, [...(idsOf.get(lack) ?? []), id])
  }
  for (const [lack, ids] of idsOf) output.markedLine('yellow', 'UNCHECKED', ` ${ids.join(', ')}: ${lack}`)
}

function summarise({ period, frequencyPeriods, isDue, archivedTo, challenges }: DrawAudit): string {
  if (!isDue) return `No draw is due in period ${period}: one is every ${formatCount(frequencyPeriods, 'period')}.`
  if (archivedTo === null || archivedTo < period) return `Period ${period} is not archived here.`
  const drawn = challenges.filter(({ verdict }) => verdict !== 'undrawn')
  const undrawn = challenges.length - drawn.length
  const rest = undrawn > 0 ? `, ${undrawn} by hand or after failed audits` : ''
  if (drawn.length === 0) {
    const why = 'None is issued where a challenger draws itself, or a node that was asked not long ago.'
    return `No challenge by a draw of period ${period} is known here${rest}. ${why}`
  }
  const count = (wanted: Audited['verdict']) => drawn.filter(({ verdict }) => verdict === wanted).length
  return (
    `${count('asDrawn')} of ${formatCount(drawn.length, 'challenge')} by draws of period ${period} as drawn, ` +
    `${count('differs')} not, ${count('unchecked')} unchecked${rest}.`
  )
}
