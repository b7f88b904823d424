import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../output.ts'

interface PruneResult {
  readonly from: number
  readonly to: number
  readonly periods: number
  readonly bodyBytes: number
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
    const result = answer.result as PruneResult | null
    output.value(result)
    const kept =
      config.retentionPeriods === 0 ? 'everything' : `the newest ${config.retentionPeriods} periods and 16 more`
    output.line(
      result
        ? `${request.dryRun ? 'Would delete' : 'Deleted'} ${formatCount(result.periods, 'period')} (${result.from} to ${result.to}, ${formatBytes(result.bodyBytes)}); kept: ${kept}.`
        : `Nothing to delete: retention_periods = ${config.retentionPeriods} keeps ${kept}; deletion goes in steps of 16 periods, or 128 when at least 128 are kept.`,
    )
  }
  return EXIT_CODES.ok.code
}
