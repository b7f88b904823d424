import { ERA_PERIODS, PERIOD_MS } from '../core/units.ts'
import type { PeriodRange } from '../core/verify.ts'
import type { ListVerdict } from './judge-list.ts'
import { formatBytes, formatCount } from './parts.ts'
import type { ShownRange } from './worker-messages.ts'

/** An archive is some periods behind the clock; from here on the chain is said to be much further. */
const MUCH_FURTHER_PERIODS = ERA_PERIODS

export interface CheckedRange extends PeriodRange {
  /** `archive`: it says that it has no others. `page`: a page of its list is of these. */
  readonly chosenBy: 'reader' | 'archive' | 'page'
}

export interface RangeVerdict extends ListVerdict {
  /** Operations that the list lacks, and those that it has and the blocks have not. */
  readonly missing: readonly string[]
  readonly surplus: readonly string[]
}

/**
 * Whether a list leaves something out, after all blocks of a range were read.
 *
 * @param read - one part after the other, to the end of the range
 */
export function judgeRange(read: readonly ShownRange[], range: CheckedRange, nowMs: number): RangeVerdict {
  const sum = (of: (part: ShownRange) => number) => read.reduce((total, part) => total + of(part), 0)
  const { from, to, chosenBy } = range
  const missing = read.flatMap((part) => part.missing)
  const surplus = read.flatMap((part) => part.surplus)
  const bodies = formatCount(
    sum(({ scannedBodies }) => scannedBodies),
    'period',
  )
  const found = formatCount(
    sum(({ operations }) => operations),
    'operation',
  )
  const size = formatBytes(sum(({ proofBytes }) => proofBytes))
  const facts = `Periods ${from} to ${to}: ${bodies} with blocks read, ${size}; they have ${found} of this address.`
  if (missing.length > 0 || surplus.length > 0) {
    return { color: 'bad', title: 'The list is wrong', lines: [facts], missing, surplus }
  }
  const untrusted = sum((part) => part.untrusted)
  const anchor = `No root that you trust binds ${formatCount(untrusted, 'period')} of them: that they are the real chain is what this archive says.`
  const lines = [facts, ...(untrusted > 0 ? [anchor] : [])]
  if (chosenBy !== 'reader') {
    const which = chosenBy === 'archive' ? 'all that this archive says it has' : 'of which this page of the list is'
    const title = `In periods ${from} to ${to}, ${which}, nothing is left out`
    return { color: 'open', title, lines: [...lines, ...describeRest(read, range, nowMs)], missing, surplus }
  }
  if (untrusted > 0) {
    const title = `In periods ${from} to ${to}, as this archive has them, nothing is left out`
    return { color: 'open', title, lines, missing, surplus }
  }
  return { color: 'good', title: `In periods ${from} to ${to} nothing is left out`, lines, missing, surplus }
}

/** What is not in a range that the archive chose. */
function describeRest(read: readonly ShownRange[], { from, to }: PeriodRange, nowMs: number): string[] {
  const genesisMs = read.find(({ genesisTimestampMs }) => genesisTimestampMs !== undefined)?.genesisTimestampMs
  const now = genesisMs === undefined ? to : Math.floor((nowMs - genesisMs) / PERIOD_MS)
  return [
    ...(from > 0 ? [`Periods before ${from} were not read.`] : []),
    ...(now - to > MUCH_FURTHER_PERIODS
      ? [`By your clock the chain is at period ${now}, ${now - to} periods further: these were not read.`]
      : []),
    'Choose the periods yourself to have them checked.',
  ]
}
