import { Readable } from 'node:stream'
import * as z from 'zod'
import { nameNetwork } from '../../config/networks.ts'
import { ArchiveError, type ChunkStore, type FileEra, parseAddress } from '../../core/index.ts'
import { encodeArchiveFile } from '../../storage-worker/archive-file/encode-file.ts'
import { listOperations } from '../../storage-worker/archive-file/export-operations.ts'
import { describeExport, joinExport, readExport } from '../../storage-worker/archive-file/export-periods.ts'
import { findExportRange } from '../../storage-worker/archive-file/export-range.ts'
import { ROW_FORMATS } from '../../storage-worker/archive-file/operation-table.ts'
import { CHANGING, periodNumber } from './answer.ts'
import { cutOffSlow, PIECE_MS } from './cut-off-slow.ts'
import type { GatewayScope } from './typed-scope.ts'

/** Some four and a half hours; 10 GB at the very most. */
const MAX_PERIODS = 1_024
/** Each has two periods in memory. */
const MAX_EXPORTS = 4
const RETRY_S = 10
const WAITING_BYTES = 65_536

const TYPES = {
  mhs: 'application/octet-stream',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
} as const

const exportQuery = z
  .strictObject({
    from: periodNumber,
    to: periodNumber,
    address: z.string().max(100).optional(),
    format: z.enum(['mhs', 'ndjson', 'csv']).default('mhs'),
  })
  .refine(
    ({ from, to }) => from <= to && to - from < MAX_PERIODS,
    `from 'from' to 'to' are 1 to ${MAX_PERIODS} periods`,
  )
  .refine(({ address, format }) => address === undefined || format !== 'mhs', 'an archive file holds whole periods')

export interface ExportModules {
  readonly store: ChunkStore
  /** What is known of the anchor of an era; absent: nothing. */
  readonly findAnchor?: ((era: number) => Promise<FileEra['anchor'] | undefined>) | undefined
}

/**
 * `GET /v1/export?from=&to=&format=mhs|ndjson|csv&address=`: periods as an archive file, or their operations as rows, as
 * `massa-storage export` writes them. No faster than it is read; an answer that breaks off is not whole.
 */
export function addExportRoutes(scope: GatewayScope, modules: ExportModules, pieceMs = PIECE_MS): void {
  const { store } = modules
  let running = 0
  const options = {
    schema: { querystring: exportQuery },
    // To HEAD all of it would be read.
    exposeHeadRoute: false,
    config: {
      description: {
        summary: 'Periods as an archive file, or their operations as rows.',
        answer: Object.values(TYPES),
      },
    },
  }
  scope.get('/v1/export', options, async ({ query }, reply) => {
    const { from, to, address, format } = query
    if (address !== undefined) parseAddress(address)
    if (running >= MAX_EXPORTS) {
      throw new ArchiveError('API_BUSY', `${MAX_EXPORTS} exports are under way`, { retryAfterS: RETRY_S })
    }
    running++
    // Before anything is waited for: a client that hangs up meanwhile is not told of again.
    reply.raw.once('close', () => running--)
    await findExportRange(store, { from, to }, format === 'mhs' ? 'whole' : 'body')
    const pieces: AsyncIterable<Uint8Array | string> =
      format === 'mhs' ? listPieces(modules, { from, to }) : listLines(store, { ...query, format })
    const name = `massa-${nameNetwork(store.identity.network)}-${from}-${to}.${format}`
    return reply
      .headers({ 'cache-control': CHANGING, 'content-disposition': `attachment; filename="${name}"` })
      .type(TYPES[format])
      .send(Readable.from(cutOffSlow(pieces, reply, pieceMs), { objectMode: false, highWaterMark: WAITING_BYTES }))
  })
}

async function* listPieces(
  { store, findAnchor }: ExportModules,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<Uint8Array> {
  const head = await describeExport(store, range)
  const pieces = encodeArchiveFile(head, joinExport(readExport(store, head)), findAnchor)
  for await (const { parts } of pieces) yield* parts
}

async function* listLines(
  store: ChunkStore,
  { format, ...range }: z.output<typeof exportQuery> & { readonly format: keyof typeof ROW_FORMATS },
): AsyncGenerator<string> {
  const { head, formatRow, lineEnd } = ROW_FORMATS[format]
  for (const line of head) yield line + lineEnd
  for await (const { rows } of listOperations(store, range)) {
    if (rows.length > 0) yield rows.map((row) => formatRow(row) + lineEnd).join('')
  }
}
