import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { CpuPool } from '../../archiver/cpu-pool.ts'
import { ArchiveError } from '../../core/index.ts'
import type { FileCpu } from '../../storage-worker/archive-file/check-period.ts'
import { isAddress, openSource } from '../../storage-worker/archive-file/open-source.ts'
import { type FileReport, verifyArchiveFile } from '../../storage-worker/archive-file/verify-file.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount, formatDuration, type Output } from '../output.ts'

export interface VerifyFileOptions {
  /** Path or http address. */
  readonly file: string
  readonly period?: unknown
  readonly deep?: boolean
  readonly repair?: boolean
  /** For tests: in place of worker threads. */
  readonly cpu?: FileCpu
}

/**
 * Checks every byte of an archive file; exit code 5 when something of it is damaged. Needs no archive.
 *
 * @throws ArchiveError CLI_USAGE for options that are of the archive on disk; STORE_FILE_* when it cannot be read
 */
export async function verifyFile(context: Context, options: VerifyFileOptions, signal: AbortSignal): Promise<number> {
  const { output, cwd } = context
  const { file, period, deep, repair } = options
  if (period !== undefined || deep || repair) {
    const message = '--period, --deep and --repair are of the archive on disk: of a file everything is always verified'
    throw new ArchiveError('CLI_USAGE', message)
  }
  const startedMs = performance.now()
  const source = await openSource(isAddress(file) ? file : resolve(cwd, file), signal)
  const { cpu, close } = openCpu(options.cpu)
  const progress = output.progress('Verifying')
  let report: FileReport
  try {
    const onProgress = ({ done, total, bytes }: { done: number; total: number; bytes: number }) =>
      progress.update(done, total, formatBytes(bytes))
    report = await verifyArchiveFile(source, cpu, onProgress, signal)
  } finally {
    progress.end()
    await source.close()
    await close()
  }
  output.value(report)
  show(output, report, performance.now() - startedMs)
  return report.damages.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.invalid.code
}

function openCpu(given: FileCpu | undefined): { readonly cpu: FileCpu; readonly close: () => Promise<void> } {
  if (given) return { cpu: given, close: async () => undefined }
  // One is kept free for archiving, of which there is none here.
  const cpu = new CpuPool({ threads: availableParallelism() + 1 })
  return { cpu, close: () => cpu.close() }
}

function show(output: Output, report: FileReport, elapsedMs: number): void {
  const { damages, first, last, root, eras } = report
  for (const { message, code } of damages) output.markedLine('red', 'DAMAGED', ` ${message} (${code})`)
  if (root !== null) {
    output.line(`Periods ${first} to ${last} of chain ${report.chainId}, genesis ${report.genesisTimestampMs}.`)
    output.line(`Root of the file: ${root}`)
    for (const era of eras) {
      const anchored = era.anchoredIn === null ? '' : `, said to be anchored in ${era.anchoredIn}`
      output.line(`Era ${era.era}: root ${era.root}${anchored}`)
    }
  }
  if (report.unboundPeriods > 0) {
    const periods = formatCount(report.unboundPeriods, 'period')
    output.line(`${periods} with operations whose bytes no id binds: whoever wrote the file vouches for them alone.`)
  }
  const counts = `${formatCount(report.periods, 'period')}, ${formatCount(report.blocks, 'block')}, ${formatCount(report.operations, 'operation')}`
  const found = damages.length === 0 ? 'no damage' : formatCount(damages.length, 'damage')
  output.line(`Verified ${counts}, ${formatBytes(report.bytes)} in ${formatDuration(elapsedMs)}: ${found}.`)
  if (damages.length === 0) {
    output.remark('A file can be sound and of a chain that nobody else knows: compare its root, or that of an era.')
  }
}
