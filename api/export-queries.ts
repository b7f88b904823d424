import { type ChunkStore, ERA_PERIODS, toHex } from '../core/index.ts'
import { listOperations, type OperationsOptions } from '../storage-worker/archive-file/export-operations.ts'
import { describeExport, readExport } from '../storage-worker/archive-file/export-periods.ts'
import { type ExportRange, findExportRange } from '../storage-worker/archive-file/export-range.ts'
import type { Query, QueryRow } from './queries.ts'

/** What the file is for, then the values of each period; behind those that end an era what is known of its anchor. */
export async function* exportPeriods(
  { store, findAnchor }: Pick<Query, 'store' | 'findAnchor'>,
  request: ExportRange,
): AsyncGenerator<QueryRow> {
  const head = await describeExport(store.chunks, request)
  const { network, chunkSizeBytes, first, last } = head
  const numbers = { chainId: network.chainId.toString(), genesisTimestampMs: network.genesisTimestampMs.toString() }
  yield { row: { head: { ...numbers, chunkSizeBytes, first, last } } }
  let period = first
  for await (const value of readExport(store.chunks, head)) {
    if (value.value === 'executionResults' && (period + 1) % ERA_PERIODS === 0) {
      const anchor = await findAnchor?.(Math.floor(period / ERA_PERIODS))
      const numbers = anchor && { anchoredPeriod: anchor.anchoredPeriod.toString() }
      if (anchor) yield { row: { anchor: { ...anchor, ...numbers, placementRoot: toHex(anchor.placementRoot) } } }
    }
    if (value.value === 'executionResults') period++
    yield { row: value }
  }
  yield { result: { first, last } }
}

/** The periods, then the rows of each. */
export async function* exportOperations(store: ChunkStore, request: OperationsOptions): AsyncGenerator<QueryRow> {
  const { first, last } = await findExportRange(store, request, 'body')
  yield { row: { head: { first, last } } }
  for await (const rows of listOperations(store, { ...request, from: first, to: last })) yield { row: rows }
  yield { result: { first, last } }
}
