import type { Output } from '../output.ts'

/** What `inspect period` answers. */
export interface InspectedPeriod {
  readonly period: number
  readonly root: string
  readonly bytes: number
  readonly blocks: number
  readonly operations: number
  readonly bitmap: number
  readonly chainId: string
  readonly genesisTimestampMs: number
  readonly chunks: readonly { readonly chunkId: string; readonly bytes: number }[]
  readonly slots: readonly {
    readonly thread: number
    readonly kind: string
    readonly blockId?: string
    readonly operations?: number
  }[]
  readonly executionResults: readonly {
    readonly source: string
    readonly complete: boolean
    readonly events?: number
  }[]
}

/** A period for people, at most 80 columns wide; `--json` has more about each thread. */
export function renderPeriod(output: Output, period: InspectedPeriod): void {
  const { chunks, slots } = period
  output.table([
    ['period', String(period.period)],
    ['root', period.root],
    ['bytes', period.bytes.toLocaleString('en-US')],
    ['blocks', `${period.blocks} in ${slots.length} threads`],
    ['operations', period.operations.toLocaleString('en-US')],
    ['results', describeResults(period)],
    ['network', `chain ${period.chainId}, genesis ${period.genesisTimestampMs}`],
  ])
  output.line()
  output.table([['chunk', 'bytes'], ...chunks.map(({ chunkId, bytes }) => [chunkId, String(bytes)])], [false, true])
  output.line()
  output.table(
    [
      ['thread', 'block', 'operations'],
      ...slots.map(({ thread, kind, blockId, operations }) => [
        String(thread),
        blockId ?? kind,
        operations === undefined ? '' : String(operations),
      ]),
    ],
    [true, false, true],
  )
}

/** That nothing is kept does not say that nodes knew nothing: they may have said it late, or a repair left it out. */
export function describeResults({ period, slots, executionResults }: InspectedPeriod): string {
  if (period === 0) return 'none: genesis blocks are not executed'
  const known = executionResults.filter(({ source }) => source !== 'unknown')
  if (known.length === 0) return 'none kept: not reported in time, or left out by a repair'
  const events = known.reduce((sum, execution) => sum + (execution.events ?? 0), 0)
  const incomplete = known.filter(({ complete }) => !complete).length
  const unknown = slots.filter(({ kind }) => kind !== 'void').length - known.length
  const parts = [`of ${known.length} threads, ${events.toLocaleString('en-US')} events`]
  if (incomplete > 0) parts.push(`${incomplete} incomplete`)
  if (unknown > 0) parts.push(`none kept of ${unknown}`)
  return parts.join(', ')
}
