import { THREAD_COUNT } from '../../core/units.ts'
import { formatCount, type Output } from '../output.ts'

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
  /** On this disk. */
  readonly held: { readonly chunks: number; readonly seals: boolean; readonly executionResults: boolean }
  readonly chunks: readonly { readonly chunkId: string; readonly bytes: number; readonly held: boolean }[]
  /** Absent when not all chunks are held. */
  readonly slots?: readonly {
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
  const { chunks, held, slots } = period
  const isPart = held.chunks < chunks.length
  output.table([
    ['period', String(period.period)],
    ['root', period.root],
    ['bytes', period.bytes.toLocaleString('en-US')],
    ['blocks', `${period.blocks} in ${THREAD_COUNT} threads`],
    ['operations', period.operations.toLocaleString('en-US')],
    ['results', describeResults(period)],
    ['network', `chain ${period.chainId}, genesis ${period.genesisTimestampMs}`],
    ...(isPart || !held.seals ? [['held here', describeHeld(period)]] : []),
  ])
  output.line()
  const rows = chunks.map((chunk) => [
    chunk.chunkId,
    String(chunk.bytes),
    ...(isPart ? [chunk.held ? 'held' : '-'] : []),
  ])
  output.table([['chunk', 'bytes', ...(isPart ? ['here'] : [])], ...rows], [false, true, false])
  if (!slots) return
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

function describeHeld({ chunks, held }: InspectedPeriod): string {
  return `${held.chunks} of ${formatCount(chunks.length, 'chunk')}${held.seals ? '' : ', no signatures'}`
}

/** That nothing is kept does not say that nodes knew nothing: they may have said it late, or a repair left it out. */
export function describeResults({ period, held, slots, executionResults }: InspectedPeriod): string {
  if (period === 0) return 'none: genesis blocks are not executed'
  if (!held.executionResults) return 'not held here'
  const known = executionResults.filter(({ source }) => source !== 'unknown')
  if (known.length === 0) return 'none kept: not reported in time, or left out by a repair'
  const events = known.reduce((sum, execution) => sum + (execution.events ?? 0), 0)
  const incomplete = known.filter(({ complete }) => !complete).length
  const unknown = (slots ?? []).filter(({ kind }) => kind !== 'void').length - known.length
  const parts = [`of ${known.length} threads, ${events.toLocaleString('en-US')} events`]
  if (incomplete > 0) parts.push(`${incomplete} incomplete`)
  if (unknown > 0) parts.push(`none kept of ${unknown}`)
  return parts.join(', ')
}
