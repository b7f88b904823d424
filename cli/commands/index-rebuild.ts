import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount, formatDuration } from '../output.ts'

interface RebuildResult {
  readonly indexedPeriods: number
  readonly partialPeriods: number
  readonly isComplete: boolean
}

/** Makes the index of ids and addresses anew from the archive; the running sidecar does it when there is one. */
export async function rebuildIndex(context: Context, signal: AbortSignal): Promise<number> {
  const { output } = context
  const progress = output.progress('Indexing')
  const startedMs = performance.now()
  let result: RebuildResult | undefined
  try {
    for await (const answer of queryArchive(context.load().config, { kind: 'rebuild-history' }, signal)) {
      if ('progress' in answer) {
        const { period, first, last } = answer.progress as Record<'period' | 'first' | 'last', number>
        progress.update(period - first, last - first)
      } else if ('result' in answer) result = answer.result as RebuildResult
    }
  } finally {
    progress.end()
  }
  if (!result?.isComplete) return EXIT_CODES.interrupted.code
  output.value(result)
  const { indexedPeriods, partialPeriods } = result
  output.line(`Indexed ${formatCount(indexedPeriods, 'period')} in ${formatDuration(performance.now() - startedMs)}.`)
  if (partialPeriods > 0) {
    output.remark(
      `${formatCount(partialPeriods, 'period')} not whole on this disk: nothing of them is found by id or address.`,
    )
  }
  return EXIT_CODES.ok.code
}
