import * as z from 'zod'
import { ArchiveError } from '../../core/index.ts'
import { CHUNK_ROLES, type ChunkRole, type FoundRoles } from '../../storage-worker/index.ts'
import { queryArchive } from '../archive-access.ts'
import { parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../output.ts'
import { ALL_PERIODS, type PeriodRange } from '../parse-arguments.ts'
import { shorten } from '../shorten.ts'

const ID_DIGITS = 64
const MIN_DIGITS = 16
/** What stands right of the id. */
const REST_COLUMNS = 40

const chunkRow = z.object({
  chunkId: z.string(),
  period: z.int(),
  index: z.int(),
  bytes: z.int(),
  role: z.enum(CHUNK_ROLES),
})
const told = z.union([z.object({ address: z.string(), era: z.int() }), z.object({ why: z.string() })])
type Told = z.infer<typeof told>

type RoleTotals = Partial<Record<ChunkRole, { chunks: number; bytes: number }>>

export interface ListOptions {
  readonly period?: PeriodRange
  readonly prefix?: string
  readonly role?: ChunkRole
  readonly limit?: number
}

/** The chunks on this disk, one per line, totals last. @throws ArchiveError CLI_ROLES_UNKNOWN when a role is asked for */
export async function listChunks(context: Context, options: ListOptions, signal: AbortSignal): Promise<number> {
  const { output } = context
  const { config } = context.load()
  const { role, limit = Number.POSITIVE_INFINITY, period: range = ALL_PERIODS, prefix: prefixHex = '' } = options
  const request = { kind: 'list-chunks' as const, ...range, prefixHex, ...(role === undefined ? {} : { role }) }
  const periods = new Set<number>()
  const totals: RoleTotals = {}
  let chunks = 0
  let bytes = 0
  let by: Told | undefined
  // Cut on a narrow terminal: 'inspect chunk' takes the beginning of an id.
  const digits = Math.max(MIN_DIGITS, Math.min(ID_DIGITS, (output.columns ?? Number.POSITIVE_INFINITY) - REST_COLUMNS))
  for await (const answer of queryArchive(config, request, signal, { findRoles: () => findRolesOf(context, signal) })) {
    if ('result' in answer) by = parseAnswer(told, answer.result)
    if (!('row' in answer)) continue
    if (chunks === 0) output.line(formatLine(digits, ['chunk', 'period', 'index', 'bytes', 'role']))
    const row = parseAnswer(chunkRow, answer.row)
    const total = totals[row.role] ?? { chunks: 0, bytes: 0 }
    totals[row.role] = { chunks: total.chunks + 1, bytes: total.bytes + row.bytes }
    chunks++
    bytes += row.bytes
    periods.add(row.period)
    if (chunks > limit) continue
    const shownRole = row.role === 'none' ? '-' : row.role
    output.line(
      formatLine(digits, [shorten(row.chunkId, digits), `${row.period}`, `${row.index}`, `${row.bytes}`, shownRole]),
    )
    output.value(row)
  }
  if (by && 'why' in by && role !== undefined && role !== 'none') {
    throw new ArchiveError('CLI_ROLES_UNKNOWN', `it is not known which chunks are ${role} here: ${by.why}`)
  }
  if (chunks > limit) output.line(`and ${chunks - limit} more`)
  const split = by && !('why' in by) && chunks > 0 ? `: ${describeRoles(totals)}` : ''
  output.line(
    `${formatCount(chunks, 'chunk')} of ${formatCount(periods.size, 'period')}, ${formatBytes(bytes)}${split}`,
  )
  output.value({ total: { chunks, periods: periods.size, bytes, roles: totals, ...by } })
  if (by) output.remark('why' in by ? `No roles: ${by.why}.` : `Roles of ${by.address} in era ${by.era}.`)
  return EXIT_CODES.ok.code
}

/** Of an archive whose sidecar does not run. The client of the nodes is loaded only where it has something to ask. */
async function findRolesOf(context: Context, signal: AbortSignal): Promise<FoundRoles> {
  const { config } = context.load()
  if (config.storageRegistryAddress === '') return { why: 'no storage-registry is configured' }
  return (await import('../find-roles.ts')).findRoles(context, signal)
}

function describeRoles(totals: RoleTotals): string {
  return CHUNK_ROLES.flatMap((role) => (totals[role] ? [`${totals[role].chunks} ${role}`] : [])).join(', ')
}

function formatLine(digits: number, [id = '', period = '', index = '', bytes = '', role = '']: string[]): string {
  return `${id.padEnd(digits)}  ${period.padStart(10)}  ${index.padStart(5)}  ${bytes.padStart(10)}  ${role}`
}
