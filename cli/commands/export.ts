import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as z from 'zod'
import { nameNetwork } from '../../config/networks.ts'
import { ArchiveError, type ArchiveFileHead, fromHex, type Period, parseAddress, toHex } from '../../core/index.ts'
import type { OperationRow } from '../../storage-worker/archive-file/export-operations.ts'
import { type ExportedValue, joinExport } from '../../storage-worker/archive-file/export-periods.ts'
import { ROW_FORMATS } from '../../storage-worker/archive-file/operation-table.ts'
import { FileInMaking, refuseExisting, writeArchiveFile } from '../../storage-worker/archive-file/write-file.ts'
import { queryArchive } from '../archive-access.ts'
import { parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../output.ts'

export interface ExportOptions {
  readonly from?: Period
  readonly to?: Period
  readonly format: 'mhs' | 'ndjson' | 'csv'
  /** Operations of it alone. */
  readonly address?: string
  /** Default: a file of its own name here; rows go to the standard output. */
  readonly out?: string
}

const u64 = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt)
const headRow = z.object({
  head: z.object({ chainId: u64, genesisTimestampMs: u64, chunkSizeBytes: z.int(), first: z.int(), last: z.int() }),
})
const anchorRow = z.object({
  anchor: z.object({
    era: z.int(),
    registry: z.string(),
    placementRoot: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .transform(fromHex),
    anchoredPeriod: u64,
  }),
})
const valueRow = z.object({ value: z.enum(['manifest', 'chunk', 'seals', 'executionResults']), base64: z.base64() })
const rangeRow = z.object({ head: z.object({ first: z.int(), last: z.int() }) })
/** Made by the same code, here or in the sidecar. */
const operationRows = z.object({
  period: z.int(),
  rows: z.array(z.custom<OperationRow>((row) => typeof row === 'object')),
})

/**
 * Writes periods to an archive file, or their operations as rows.
 *
 * @throws ArchiveError CLI_USAGE, STORE_EXPORT_INCOMPLETE, STORE_FILE_EXISTS, STORE_FILE_NOT_WRITTEN
 */
export async function exportArchive(context: Context, options: ExportOptions, signal: AbortSignal): Promise<number> {
  const { from, to, address, format } = options
  if (from !== undefined && to !== undefined && from > to) {
    throw new ArchiveError('CLI_USAGE', `--from ${from} is behind --to ${to}`)
  }
  if (address !== undefined && format === 'mhs') {
    throw new ArchiveError('CLI_USAGE', 'an archive file holds whole periods: --address is for --format ndjson or csv')
  }
  if (address !== undefined) parseAddress(address)
  return format === 'mhs' ? exportFile(context, options, signal) : exportRows(context, { ...options, format }, signal)
}

async function exportFile(context: Context, { from, to, out }: ExportOptions, signal: AbortSignal): Promise<number> {
  const { output, cwd } = context
  const target = await findTarget(cwd, out)
  const anchors = new Map<number, z.infer<typeof anchorRow>['anchor']>()
  const answers = queryArchive(context.load().config, { kind: 'export-periods', from, to }, signal)
  const progress = output.progress('Exporting')
  let head: ArchiveFileHead | undefined
  const values = async function* (): AsyncGenerator<Pick<ExportedValue, 'value' | 'bytes'>> {
    for await (const answer of answers) {
      signal.throwIfAborted()
      if (!('row' in answer)) continue
      if ('anchor' in answer.row) {
        const { anchor } = parseAnswer(anchorRow, answer.row)
        anchors.set(anchor.era, anchor)
      } else yield readValue(answer.row)
    }
  }
  try {
    const first = await answers.next()
    if (first.done || !('row' in first.value)) return EXIT_CODES.interrupted.code
    const { chainId, genesisTimestampMs, ...rest } = parseAnswer(headRow, first.value.row).head
    head = { network: { chainId, genesisTimestampMs }, ...rest }
    const written = await writeArchiveFile(
      {
        head,
        networkName: nameNetwork(head.network),
        target,
        findAnchor: async (era) => anchors.get(era),
        onPeriod: (done, total, bytes) => progress.update(done, total, formatBytes(bytes)),
      },
      joinExport(values()),
    )
    progress.end()
    const { path, bytes, periods, eras, isBegunAnew } = written
    const root = toHex(written.root)
    output.value({ path, root, bytes, periods, eras, from: head.first, to: head.last, isBegunAnew })
    if (isBegunAnew) output.remark('An export to there was interrupted before: this one was begun anew.')
    output.line(
      `Exported ${formatCount(periods, 'period')} (${head.first} to ${head.last}, ${formatBytes(bytes)}): ${path}`,
    )
    output.line(`Root of the file: ${root}`)
    output.remark('Give that root to whoever imports the file: with `--root` nothing else is taken.')
    return EXIT_CODES.ok.code
  } finally {
    progress.end()
    await answers.return(undefined)
  }
}

/** As bytes of this process, or as they came from the sidecar. */
function readValue(row: object): Pick<ExportedValue, 'value' | 'bytes'> {
  if ('bytes' in row) return row as ExportedValue
  const { value, base64 } = parseAnswer(valueRow, row)
  return { value, bytes: Buffer.from(base64, 'base64') }
}

async function findTarget(cwd: string, out: string | undefined): Promise<{ folder: string } | { path: string }> {
  if (out === undefined) return { folder: cwd }
  const path = resolve(cwd, out)
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false
  return isFolder ? { folder: path } : { path }
}

async function exportRows(
  context: Context,
  { format, ...options }: ExportOptions & { readonly format: keyof typeof ROW_FORMATS },
  signal: AbortSignal,
): Promise<number> {
  const { output, cwd } = context
  const { from, to, address, out } = options
  const { head, formatRow, lineEnd } = ROW_FORMATS[format]
  const path = out === undefined ? undefined : resolve(cwd, out)
  const sink = await openSink(context, path, lineEnd)
  const progress = output.progress('Exporting')
  const counts = { operations: 0, from: 0, to: 0 }
  try {
    if (head.length > 0) await sink.write(head)
    for await (const answer of queryArchive(
      context.load().config,
      { kind: 'export-operations', from, to, ...(address === undefined ? {} : { address }) },
      signal,
    )) {
      signal.throwIfAborted()
      if (!('row' in answer)) continue
      if ('head' in answer.row) {
        const { first, last } = parseAnswer(rangeRow, answer.row).head
        Object.assign(counts, { from: first, to: last })
        continue
      }
      const { period, rows } = parseAnswer(operationRows, answer.row)
      counts.operations += rows.length
      if (rows.length > 0) await sink.write(rows.map(formatRow))
      progress.update(period - counts.from, counts.to - counts.from, formatCount(counts.operations, 'operation'))
    }
    await sink.finish()
  } catch (error) {
    await sink.giveUp()
    throw error
  } finally {
    progress.end()
  }
  const range = `periods ${counts.from} to ${counts.to}`
  if (path !== undefined) {
    output.value({ path, ...counts })
    output.line(`Exported ${formatCount(counts.operations, 'operation')} of ${range}: ${path}`)
  } else output.remark(`Exported ${formatCount(counts.operations, 'operation')} of ${range}.`)
  return EXIT_CODES.ok.code
}

interface Sink {
  write(lines: readonly string[]): Promise<void>
  finish(): Promise<void>
  giveUp(): Promise<void>
}

async function openSink({ output }: Context, path: string | undefined, lineEnd: string): Promise<Sink> {
  if (path === undefined) {
    return {
      write: (lines) => output.data(lines, lineEnd),
      finish: async () => undefined,
      giveUp: async () => undefined,
    }
  }
  await refuseExisting(path)
  const file = await FileInMaking.begin(`${path}.part`)
  return {
    write: (lines) => file.write([new TextEncoder().encode(lines.map((line) => line + lineEnd).join(''))]),
    finish: () => file.finish(path),
    giveUp: () => file.giveUp(),
  }
}
