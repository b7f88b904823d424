import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../output.ts'

interface PruneResult {
  readonly dryRun: boolean
  readonly retentionPeriods: number
  readonly stepPeriods: number
  /** Of these many; with dryRun, would go. */
  readonly periods: number
  readonly bodyBytes: number
  /** First and last period that go; null when nothing is due. */
  readonly from: number | null
  readonly to: number | null
  readonly keptFrom: number | null
  readonly nextAtPeriod: number | null
}

/** Deletes what `retention_periods` lets go, or with dryRun says what it would delete. */
export async function prune(
  context: Context,
  options: { readonly dryRun?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const { config } = context.load()
  const request = { kind: 'prune' as const, dryRun: options.dryRun ?? false, retentionPeriods: config.retentionPeriods }
  for await (const answer of queryArchive(config, request, signal)) {
    if (!('result' in answer)) continue
    const result = answer.result as PruneResult
    output.value(result)
    output.line(describe(result))
    for (const line of describeNext(result)) output.line(line)
  }
  return EXIT_CODES.ok.code
}

function describe(result: PruneResult): string {
  const { dryRun, periods, from, to, bodyBytes, keptFrom } = result
  if (from === null) return 'Nothing to delete.'
  const verb = dryRun ? 'Would delete' : 'Deleted'
  return `${verb} ${formatCount(periods, 'period')} (${from} to ${to}, ${formatBytes(bodyBytes)}); kept: from period ${keptFrom} on.`
}

function describeNext({ retentionPeriods, stepPeriods, nextAtPeriod }: PruneResult): string[] {
  if (retentionPeriods === 0) return ['retention_periods = 0 keeps everything.']
  const rule = `retention_periods = ${retentionPeriods} keeps the newest ${retentionPeriods} and 16 more, in steps of ${stepPeriods}.`
  return nextAtPeriod === null ? [rule] : [rule, `The next step is due when period ${nextAtPeriod} is archived.`]
}
