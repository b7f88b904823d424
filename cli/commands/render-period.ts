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

function describeResults({ executionResults }: InspectedPeriod): string {
  const known = executionResults.filter(({ source }) => source !== 'unknown')
  if (known.length === 0) return 'no node reported execution results'
  const events = known.reduce((sum, execution) => sum + (execution.events ?? 0), 0)
  return `of ${known.length} threads, ${events.toLocaleString('en-US')} events`
}
