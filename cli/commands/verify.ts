import { NodeClient, refetchFromNodes } from '../../archiver/index.ts'
import type { Config } from '../../config/index.ts'
import { ERROR_CODES, type ErrorCode, type Period } from '../../core/index.ts'
import { readIdentity } from '../../storage-worker/index.ts'
import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount, formatDuration, type Output } from '../output.ts'
import type { PeriodRange } from '../parse-arguments.ts'

interface VerifyResult {
  readonly periods: number
  readonly chunks: number
  readonly bytes: number
  readonly damages: readonly {
    readonly period?: number
    readonly what: string
    readonly code: string
    readonly repairable: boolean
    readonly repaired?: boolean
    readonly lost?: true
    readonly reason?: string
    readonly note?: string
  }[]
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
}

/** Checks the archive; exit code 5 when something is damaged and was not repaired. */
export async function verify(
  context: Context,
  options: { readonly period?: PeriodRange; readonly deep?: boolean; readonly repair?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const { config } = context.load()
  const progress = output.progress('Verifying')
  const startedMs = performance.now()
  const request = {
    kind: 'verify' as const,
    ...(options.period ? { range: options.period } : {}),
    deep: options.deep ?? false,
    repair: options.repair ?? false,
  }
  const sources = openSources(config)
  const run = async (rebuild: boolean): Promise<VerifyResult | undefined> => {
    let result: VerifyResult | undefined
    for await (const answer of queryArchive(config, request, signal, { refetchPeriod: sources.refetch, rebuild })) {
      if ('progress' in answer) {
        const { period, first, last, bytes } = answer.progress as Record<'period' | 'first' | 'last' | 'bytes', number>
        progress.update(period - first, last - first, formatBytes(bytes))
      } else if ('result' in answer) result = answer.result as VerifyResult
    }
    return result
  }
  let result: VerifyResult | undefined
  try {
    result = await run(false)
    // Tables of LevelDB itself: nothing but building the databases anew mends them.
    if (options.repair && result?.damages.some(isUnsoundTable)) result = joinRuns(result, await run(true))
  } finally {
    progress.end()
    sources.close()
  }
  if (!result) return EXIT_CODES.interrupted.code
  output.value(result)
  if (options.period && result.periods === 0 && result.damages.length === 0) {
    output.remark(`No period of ${options.period.from} to ${options.period.to} is in this archive.`)
    return EXIT_CODES.notFound.code
  }
  const hasNodes = config.node.grpcUrls.length > 0
  show(output, result, { elapsedMs: performance.now() - startedMs, repair: options.repair ?? false, hasNodes })
  return result.damages.every((damage) => damage.repaired) ? EXIT_CODES.ok.code : EXIT_CODES.invalid.code
}

/** What the first run found of files, and the second, with the databases built anew, finds no more, is repaired. */
function joinRuns(first: VerifyResult, second: VerifyResult | undefined): VerifyResult | undefined {
  if (!second) return undefined
  const left = new Set(second.damages.map(({ what }) => what))
  const gone = first.damages.filter(({ period, what }) => period === undefined && !left.has(what))
  return { ...second, damages: [...gone.map((damage) => ({ ...damage, repaired: true })), ...second.damages] }
}

function isUnsoundTable({ code, repaired }: VerifyResult['damages'][number]): boolean {
  return code === 'STORE_DATABASE_DAMAGED' && !repaired
}

function show(
  output: Output,
  result: VerifyResult,
  run: { readonly elapsedMs: number; readonly repair: boolean; readonly hasNodes: boolean },
): void {
  const { damages, gaps } = result
  for (const damage of damages) {
    const { period, what, code, reason, repaired, lost, note } = damage
    const why = reason === undefined ? code : `${code}: ${reason}`
    const where = `${period === undefined ? what : `period ${period}: ${what}`} (${why})`
    if (lost) output.markedLine('red', 'LOST', ` ${where}${note === undefined ? '' : `: ${note}`}`)
    else if (repaired) output.markedLine('yellow', 'repaired', ` ${where}${note === undefined ? '' : `: ${note}`}`)
    else output.markedLine('red', 'DAMAGED', ` ${where}, ${describeLeft(damage, run)}`)
  }
  for (const { from, to } of gaps) output.line(`gap: periods ${from} to ${to} are not archived`)
  const left = damages.filter(({ repaired }) => !repaired).length
  const lost = damages.filter((damage) => damage.lost).length
  const repaired = damages.length - left - lost
  const mended = [
    ...(repaired > 0 ? [`${formatCount(repaired, 'damage')} repaired, `] : []),
    ...(lost > 0 ? [`execution results of ${formatCount(lost, 'period')} lost, `] : []),
  ].join('')
  const found = `${mended}${left === 0 ? 'no damage' : formatCount(left, 'damage')}${mended ? ' left' : ''}`
  output.line(
    `Verified ${formatCount(result.periods, 'period')}, ${formatCount(result.chunks, 'chunk')}, ${formatBytes(result.bytes)} in ${formatDuration(run.elapsedMs)}: ${found}.`,
  )
}

function describeLeft(
  damage: VerifyResult['damages'][number],
  { repair: isRepair, hasNodes }: { readonly repair: boolean; readonly hasNodes: boolean },
): string {
  const { period, code, repairable } = damage
  // A file that no node holds: the code says what to do.
  if (isRepair && period === undefined) return `could not be repaired. ${actionOf(code)}`
  if (isRepair && !hasNodes) return 'could not be repaired: node.grpc_urls names no massa-node that may still hold it'
  if (isRepair) return 'could not be repaired: no configured massa-node holds it any more'
  return repairable ? 'verify --repair may mend it' : 'not repairable from here'
}

function actionOf(code: string): string {
  return code in ERROR_CODES ? ERROR_CODES[code as ErrorCode].action : ''
}

/** Nodes that may still hold what is damaged. */
function openSources(config: Config) {
  const clients = config.node.grpcUrls.map((url) => new NodeClient({ url, timeoutMs: config.node.callTimeoutMs }))
  return {
    close: () => {
      for (const client of clients) client.close()
    },
    refetch: async (period: Period) => {
      // Opening the archive has mended a damaged `store.json` by now.
      const stored = await readIdentity(config.dataDir)
      return stored && refetchFromNodes(clients, stored.identity, period)
    },
  }
}
