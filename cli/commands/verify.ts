import { NodeClient, refetchFromNodes } from '../../archiver/index.ts'
import type { Config } from '../../config/index.ts'
import type { Period } from '../../core/index.ts'
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
  let result: VerifyResult | undefined
  const sources = options.repair ? await openSources(config) : undefined
  try {
    for await (const answer of queryArchive(config, request, signal, sources?.refetch)) {
      if ('progress' in answer) {
        const { period, first, last, bytes } = answer.progress as {
          period: number
          first: number
          last: number
          bytes: number
        }
        progress.update(period - first, last - first, formatBytes(bytes))
      } else if ('result' in answer) result = answer.result as VerifyResult
    }
  } finally {
    progress.end()
    sources?.close()
  }
  if (!result) return EXIT_CODES.interrupted.code
  output.value(result)
  show(output, result, performance.now() - startedMs)
  return result.damages.every((damage) => damage.repaired) ? EXIT_CODES.ok.code : EXIT_CODES.invalid.code
}

function show(output: Output, result: VerifyResult, elapsedMs: number): void {
  const { damages, gaps } = result
  for (const { period, what, code, repairable, repaired } of damages) {
    const state = repaired ? 'repaired' : repairable ? 'repairable: run verify --repair' : 'not repairable from here'
    const where = period === undefined ? what : `period ${period}: ${what}`
    output.line(
      `${output.style(repaired ? 'yellow' : 'red', repaired ? 'repaired' : 'DAMAGED')} ${where} (${code}), ${state}`,
    )
  }
  for (const { from, to } of gaps) output.line(`gap: periods ${from} to ${to} are not archived`)
  const found = damages.length === 0 ? 'no damage' : formatCount(damages.length, 'damage')
  output.line(
    `Verified ${formatCount(result.periods, 'period')}, ${formatCount(result.chunks, 'chunk')}, ${formatBytes(result.bytes)} in ${formatDuration(elapsedMs)}: ${found}.`,
  )
}

/** Nodes that may still hold what is damaged. */
async function openSources(config: Config) {
  const identity = (await readIdentity(config.dataDir))?.identity
  const clients = config.node.grpcUrls.map((url) => new NodeClient({ url, timeoutMs: config.node.callTimeoutMs }))
  return {
    close: () => {
      for (const client of clients) client.close()
    },
    refetch: async (period: Period) => (identity ? refetchFromNodes(clients, identity, period) : undefined),
  }
}
