import * as z from 'zod'
import { callSidecar, parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findSidecar } from '../find-sidecar.ts'
import { formatBytes, formatCount, type Output } from '../output.ts'

const totals = z.object({ root: z.string(), totalBytes: z.string(), totalChunks: z.string() })
const failure = z.object({ code: z.string(), message: z.string() })
const eraReport = z.object({
  era: z.number(),
  firstPeriod: z.number(),
  lastPeriod: z.number(),
  missingPeriods: z.number(),
  firstMissing: z.number().nullable(),
  own: totals.nullable(),
  damage: failure.nullable(),
  anchored: totals.extend({ placementRoot: z.string(), anchoredPeriod: z.string() }).nullable(),
  signatures: z.number().nullable(),
  differences: z.array(
    z.object({
      era: z.number(),
      by: z.string(),
      period: z.number().optional(),
      periods: z.number().optional(),
      reason: z.string().optional(),
    }),
  ),
})
type EraReport = z.infer<typeof eraReport>

const SHOWN_DIGITS = 12
const MAX_LISTED = 100

/** What the running sidecar knows of the eras that are over. */
export async function erasList(
  context: Context,
  { limit }: { readonly limit: number },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const sidecar = await findSidecar(context.load().config, signal)
  const json = await callSidecar(sidecar, `/v1/eras?limit=${Math.min(limit, MAX_LISTED)}`, { signal })
  const { eras, failing } = parseAnswer(z.object({ eras: z.array(eraReport), failing: failure.nullable() }), json)
  for (const each of eras) output.value(each)
  if (failing) output.warn(`it cannot be told which eras are anchored: ${failing.message} (${failing.code})`)
  if (eras.length === 0) {
    output.remark('No era that is archived here is over yet: one has 128 periods.')
    return EXIT_CODES.ok.code
  }
  output.table([
    ['era', 'periods', 'root here', 'anchored', 'others'],
    ...eras.map((each) => [
      `${each.era}`,
      `${each.firstPeriod} to ${each.lastPeriod}`,
      each.own ? each.own.root.slice(0, SHOWN_DIGITS) : describeLack(each),
      describeAnchor(each),
      describeOthers(each),
    ]),
  ])
  return EXIT_CODES.ok.code
}

/** All that the running sidecar knows of one era. */
export async function erasShow(context: Context, era: number, signal: AbortSignal): Promise<number> {
  const { output } = context
  const sidecar = await findSidecar(context.load().config, signal)
  const json = await callSidecar(sidecar, `/v1/eras/${era}`, { signal })
  const { era: report, failing } = parseAnswer(z.object({ era: eraReport, failing: failure.nullable() }), json)
  output.value(report)
  if (failing) output.warn(`it cannot be told whether it is anchored: ${failing.message} (${failing.code})`)
  showEra(output, report)
  return EXIT_CODES.ok.code
}

function showEra(output: Output, report: EraReport): void {
  const { era, firstPeriod, lastPeriod, own, anchored, differences } = report
  output.table([
    ['era', `${era}: periods ${firstPeriod} to ${lastPeriod}`],
    ['root here', own ? describeTotals(own) : describeLack(report)],
    [
      'anchored',
      anchored ? `${describeTotals(anchored)}, in period ${anchored.anchoredPeriod}` : describeAnchor(report),
    ],
    ...(anchored ? [['next placement', anchored.placementRoot]] : []),
    ['others', describeOthers(report)],
  ])
  for (const { by, period, periods = 1, reason } of differences) {
    const who = by === 'registry' ? 'the registry' : by
    const where =
      period === undefined
        ? 'has another root; nobody shows in which period'
        : `has something else in ${formatCount(periods, 'period')}, first in ${period}: ${reason}`
    output.markedLine('red', 'DIFFERS', ` ${who} ${where}`)
  }
}

function describeTotals({ root, totalBytes, totalChunks }: z.infer<typeof totals>): string {
  return `${root}, ${formatCount(Number(totalChunks), 'chunk')}, ${formatBytes(Number(totalBytes))}`
}

function describeLack({ missingPeriods, firstMissing, damage }: EraReport): string {
  if (damage) return `damaged (${damage.code})`
  return `${formatCount(missingPeriods, 'period')} not archived, from ${firstMissing} on`
}

function describeAnchor({ own, anchored }: EraReport): string {
  if (!anchored) return 'no'
  if (own && own.root !== anchored.root) return 'another root'
  return `in period ${anchored.anchoredPeriod}`
}

function describeOthers({ signatures, differences }: EraReport): string {
  const signed = signatures === null ? [] : [`signed by ${formatCount(signatures, 'node')}`]
  const nodes = differences.filter(({ by }) => by !== 'registry').length
  const parts = [...signed, ...(nodes > 0 ? [`otherwise by ${nodes}`] : [])]
  return parts.length > 0 ? parts.join(', ') : '-'
}
