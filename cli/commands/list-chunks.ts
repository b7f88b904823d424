import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../output.ts'
import { ALL_PERIODS, type PeriodRange } from '../parse-arguments.ts'

const ID_DIGITS = 64
const MIN_DIGITS = 16
/** What stands right of the id. */
const REST_COLUMNS = 31

interface ChunkRow {
  readonly chunkId: string
  readonly period: number
  readonly index: number
  readonly bytes: number
}

/** The chunks on this disk, one per line, totals last. */
export async function listChunks(
  context: Context,
  options: { readonly period?: PeriodRange; readonly prefix?: string; readonly limit?: number },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const range = options.period ?? ALL_PERIODS
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  const request = { kind: 'list-chunks' as const, ...range, prefixHex: options.prefix ?? '' }
  let chunks = 0
  let bytes = 0
  const periods = new Set<number>()
  // Cut on a narrow terminal: 'inspect chunk' takes the beginning of an id.
  const digits = Math.max(MIN_DIGITS, Math.min(ID_DIGITS, (output.columns ?? Number.POSITIVE_INFINITY) - REST_COLUMNS))
  for await (const answer of queryArchive(context.load().config, request, signal)) {
    if (!('row' in answer)) continue
    if (chunks === 0) output.line(`${'chunk'.padEnd(digits)}  ${'period'.padStart(10)}  index       bytes`)
    const row = answer.row as ChunkRow
    chunks++
    bytes += row.bytes
    periods.add(row.period)
    if (chunks > limit) continue
    output.line(
      `${shorten(row.chunkId, digits)}  ${String(row.period).padStart(10)}  ${String(row.index).padStart(5)}  ${String(row.bytes).padStart(10)}`,
    )
    output.value(row)
  }
  if (chunks > limit) output.line(`and ${chunks - limit} more`)
  output.line(`${formatCount(chunks, 'chunk')} of ${formatCount(periods.size, 'period')}, ${formatBytes(bytes)}`)
  output.value({ total: { chunks, periods: periods.size, bytes } })
  return EXIT_CODES.ok.code
}

function shorten(chunkId: string, digits: number): string {
  return chunkId.length <= digits ? chunkId : `${chunkId.slice(0, digits - 2)}..`
}
