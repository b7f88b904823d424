import * as z from 'zod'
import { ArchiveError, type Clock, ERA_PERIODS, PERIOD_MS, type Period, type PeriodRange } from '../core/index.ts'
import { systemClock } from '../daemon/system-clock.ts'
import { MAX_RANGE_PERIODS } from '../storage-worker/history/range-answer.ts'
import { type ArchiveChoice, askArchive } from './ask-archive.ts'
import type { Context } from './context.ts'
import { formatCount } from './output.ts'

/** What is held in memory is bounded by it; 12 days of the chain. */
const MAX_PERIODS = 65_536
/** An archive is some periods behind the clock. */
const LATE_PERIODS = ERA_PERIODS

export interface RangeOptions extends ArchiveChoice {
  readonly fromPeriod?: Period
  readonly toPeriod?: Period
  /** For tests. */
  readonly clock?: Pick<Clock, 'nowMs'>
}

/** The periods of which somebody wants to know all that an address did. */
export interface AddressRange extends PeriodRange {
  /**
   * Where the chain is by the own clock, if the archive gave an end that nobody named and has fewer periods than there are;
   * else null.
   */
  readonly shortOf: Period | null
}

const rangeAnswer = z.object({ from: z.number().int(), to: z.number().int(), proof: z.unknown() })

/**
 * The periods that were named, else the last 1,024 of the archive. What the own sidecar says of its end is believed; of another
 * archive the end is held against the clock: who leaves out operations says that his archive ends before them.
 *
 * @returns undefined: the archive has none
 * @throws ArchiveError CLI_USAGE for a range that ends before it begins, or of too many periods
 */
export async function chooseRange(
  context: Context,
  { fromPeriod, toPeriod, clock = systemClock, ...archive }: RangeOptions,
  signal: AbortSignal,
): Promise<AddressRange | undefined> {
  if (fromPeriod !== undefined && toPeriod !== undefined) {
    return { ...checkRange({ from: fromPeriod, to: toPeriod }), shortOf: null }
  }
  const path = toPeriod === undefined ? '/v1/completeness' : `/v1/completeness?to=${toPeriod}`
  const answer = await askArchive(context, path, archive, signal)
  if (!answer) return undefined
  const said = readRange(answer)
  const range = checkRange({ from: fromPeriod ?? said.from, to: toPeriod ?? said.to })
  if (archive.from === undefined) return { ...range, shortOf: null }
  const { genesisTimestampMs } = context.load().config.node
  const chainPeriod = Math.max(0, Math.floor((clock.nowMs() - Number(genesisTimestampMs)) / PERIOD_MS))
  const endsEarly = toPeriod === undefined && chainPeriod - range.to > LATE_PERIODS
  const beginsLate = fromPeriod === undefined && range.from > Math.max(0, range.to - MAX_RANGE_PERIODS + 1)
  return { ...range, shortOf: endsEarly || beginsLate ? chainPeriod : null }
}

function checkRange(range: PeriodRange): PeriodRange {
  const { from, to } = range
  if (from > to) throw new ArchiveError('CLI_USAGE', `periods ${from} to ${to}: the range ends before it begins`)
  if (to - from >= MAX_PERIODS) {
    const message = `periods ${from} to ${to}: at most ${formatCount(MAX_PERIODS, 'period')} at once, see --from-period and --to-period`
    throw new ArchiveError('CLI_USAGE', message)
  }
  return range
}

/** Of what range an answer says that it is complete. @throws ArchiveError CORE_READING_MALFORMED */
export function readRange(answer: Readonly<Record<string, unknown>>): PeriodRange {
  const { data } = rangeAnswer.safeParse(answer)
  if (data && data.from >= 0 && data.from <= data.to) return { from: data.from, to: data.to }
  throw new ArchiveError('CORE_READING_MALFORMED', 'what was answered says of no range that it is complete')
}
