import { escapeControls, formatCoins } from '../../core/index.ts'
import { formatMegabytes } from './format-megabytes.ts'
import type { EarningSidecar, NetworkReport } from './network-report.ts'

const WIDE_COLUMNS = 100
const HEADINGS = {
  wide: ['sidecar', 'state', 'archived', 'lag', 'chunks', 'bytes', 'peers', 'primary', 'replica', 'success', 'rewards'],
  narrow: ['sidecar', 'state', 'archived', 'lag', 'chunks', 'bytes', 'peer', 'prim', 'repl', 'rate', 'MAS'],
} as const
const INDENT = '  '
/** Narrower, and lines are cut. */
const MIN_COLUMNS = 20
/** Left of these, right of the others. */
const LEFT_COLUMNS = 2

/** A network on one screen. @param columns - no line is longer */
export function renderNetwork(report: NetworkReport, columns: number): string[] {
  const isWide = columns >= WIDE_COLUMNS
  const rows = [HEADINGS[isWide ? 'wide' : 'narrow'], ...report.sidecars.map(renderSidecar)]
  const lines = [
    describeNode(report),
    ...alignRows(rows, isWide ? '  ' : ' '),
    ...[...listRemarks(report), ...listProblems(report), ...describeDashes(report)].flatMap((text) =>
      wrap(escapeControls(text), columns),
    ),
  ]
  return lines.map((line) => escapeControls(line).slice(0, columns))
}

/** The same in one line, where nothing is drawn anew. */
export function summarizeNetwork(report: NetworkReport): string {
  const sidecars = report.sidecars.map(
    ({ name, archived, lagPeriods, state }) =>
      `${name.replace('sidecar-', '#')} ${archived ? `to ${archived.last} (lag ${lagPeriods ?? '-'})` : state}`,
  )
  const archived = sidecars.length === 0 ? [] : [`archived: ${sidecars.join(', ')}`]
  return [describeNode(report), ...archived, ...listProblems(report)].join('; ')
}

function describeNode({ node, traffic, isSetUp }: NetworkReport): string {
  const { report } = node
  if (!report) return `node ${node.state}`
  const { lastSlot, finalSlot, finalOperations, isPaused } = report
  const pace = isPaused ? 'paused' : report.speed === 'turbo' ? 'turbo' : `speed ${report.speed}`
  const setup = isSetUp || isPaused ? '' : ' (setting up)'
  const who = node.state === 'running' ? 'node' : `node ${node.state}`
  return (
    `${who}: period ${lastSlot.period}, final ${finalSlot.period}, ${pace}${setup}, ` +
    `operations: ${traffic?.sent ?? 0} sent, ${finalOperations} final`
  )
}

function renderSidecar(sidecar: EarningSidecar): string[] {
  const { name, state, archived, lagPeriods, chunks, storedBytes, peers, primary, replica } = sidecar
  const met = peers === undefined ? '-' : `${peers}`
  const earned = [formatRate(sidecar), formatRewards(sidecar)]
  if (!archived) return [name, state, '-', '-', '-', '-', met, '-', '-', ...earned]
  const range = `${archived.first}-${archived.last}`
  const held = [`${lagPeriods ?? '-'}`, `${chunks}`, formatMegabytes(storedBytes)]
  return [name, state, range, ...held, met, `${primary ?? '-'}`, `${replica ?? '-'}`, ...earned]
}

/** With one decimal at most. */
function formatRate({ successRate }: EarningSidecar): string {
  return successRate === undefined ? '-' : `${Number((successRate * 100).toFixed(1))} %`
}

/** In MAS, with three decimals, rounded down. */
function formatRewards({ pendingRewardsNanoMas: nanoMas }: EarningSidecar): string {
  if (nanoMas === undefined) return '-'
  const [whole, decimals = ''] = formatCoins(BigInt(nanoMas)).split('.')
  return `${whole}.${decimals.padEnd(3, '0').slice(0, 3)}`
}

/** Why there are columns without a number; nothing where all have one. */
function describeDashes({ sidecars }: NetworkReport): string[] {
  const asked = sidecars.filter(({ archived }) => archived)
  const known = sidecars.filter(({ pendingRewardsNanoMas: nanoMas }) => nanoMas !== undefined)
  const unknown = sidecars.filter((sidecar) => !known.includes(sidecar))
  const reasons = [
    ...(asked.some(({ peers }) => peers === undefined) ? ['p2p is off'] : []),
    ...(asked.some(({ primary }) => primary === undefined) ? ['no placement in force yet'] : []),
    ...(unknown.some(({ isRegistered }) => !isRegistered) ? ['not registered yet'] : []),
    ...(unknown.some(({ isRegistered }) => isRegistered) ? ['no record read from the registry'] : []),
    ...(known.some(({ successRate }) => successRate === undefined) ? ['no challenge is over yet'] : []),
  ]
  return reasons.length > 0 ? [`-: ${reasons.join(', ')}`] : []
}

/** What a reader of the table should know beside the numbers. */
function listRemarks({ node, sidecars }: NetworkReport): string[] {
  const restarted = [
    ...(node.restarts > 0 ? [`node ended ${countTimes(node.restarts)}${describeEnd(node)}, started again`] : []),
    ...sidecars.flatMap(({ name, restarts, lastEnd, state }) =>
      restarts > 0
        ? [
            `${name} ended ${countTimes(restarts)}${describeEnd({ lastEnd })}${state === 'restarting' ? ', starts again' : ''}`,
          ]
        : [],
    ),
  ]
  const gaps = sidecars.flatMap(({ name, gaps: count }) => (count > 0 ? [`${name} has gaps in ${count} runs`] : []))
  return [...restarted, ...gaps].map((text) => `! ${text}`)
}

/** What keeps each sidecar from its work, the first thing that it says; one line for those that say the same. */
function listProblems({ sidecars }: NetworkReport): string[] {
  const names = new Map<string, string[]>()
  for (const { name, problems } of sidecars) {
    const [first, ...others] = problems
    if (first === undefined) continue
    const text = others.length === 0 ? first : `${first} (and ${others.length} more)`
    names.set(text, [...(names.get(text) ?? []), name])
  }
  return [...names].map(([text, those]) => `! ${those.join(', ')}: ${text}`)
}

/** Between words where that is possible; what follows stands a little to the right. */
function wrap(text: string, columns: number): string[] {
  const width = Math.max(columns, MIN_COLUMNS)
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > INDENT.length ? space : width
    lines.push(rest.slice(0, end))
    rest = INDENT + rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

function describeEnd({ lastEnd }: { readonly lastEnd?: string | undefined }): string {
  return lastEnd === undefined ? '' : ` (${lastEnd})`
}

function countTimes(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function alignRows(rows: readonly (readonly string[])[], separator: string): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, i) => (i < LEFT_COLUMNS ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join(separator)
      .trimEnd(),
  )
}
