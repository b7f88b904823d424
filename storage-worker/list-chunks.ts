import { type ChunkStore, formatChunkId, type Period } from '../core/index.ts'

export interface ChunkFilter {
  readonly from: Period
  readonly to: Period
  /** Lower-case hex digits that the id begins with; empty for all. */
  readonly prefixHex: string
}

export interface ChunkRow {
  readonly chunkId: string
  readonly period: Period
  readonly index: number
  readonly bytes: number
}

/** The chunks on this disk, ascending by period and index; of periods held in part those that are. */
export async function* listChunks(store: ChunkStore, filter: ChunkFilter): AsyncGenerator<ChunkRow> {
  for await (const { period, heldChunks } of store.listSummaries(filter)) {
    const manifest = await store.readManifest(period)
    const missing = new Set(heldChunks === undefined ? [] : (await store.readHolding(period))?.missingChunks)
    for (const [index, { byteLength, chunkId }] of (manifest?.chunks ?? []).entries()) {
      if (missing.has(index)) continue
      const id = formatChunkId(chunkId)
      if (id.startsWith(filter.prefixHex)) yield { chunkId: id, period, index, bytes: byteLength }
    }
  }
}
