import { type ChunkStore, formatChunkId, type Period } from '../core/index.ts'
import type { ChunkRole, OwnRoles } from './placement/own-roles.ts'

export interface ChunkFilter {
  readonly from: Period
  readonly to: Period
  /** Lower-case hex digits that the id begins with; empty for all. */
  readonly prefixHex: string
  /** Absent: of any role. */
  readonly role?: ChunkRole | undefined
}

export interface ChunkRow {
  readonly chunkId: string
  readonly period: Period
  readonly index: number
  readonly bytes: number
  readonly role: ChunkRole
}

/**
 * The chunks on this disk, ascending by period and index; of periods held in part those that are.
 *
 * @param roles - absent: the role of each is `none`
 */
export async function* listChunks(store: ChunkStore, filter: ChunkFilter, roles?: OwnRoles): AsyncGenerator<ChunkRow> {
  for await (const { period, heldChunks } of store.listSummaries(filter)) {
    const manifest = await store.readManifest(period)
    const missing = new Set(heldChunks === undefined ? [] : (await store.readHolding(period))?.missingChunks)
    for (const [index, { byteLength, chunkId }] of (manifest?.chunks ?? []).entries()) {
      if (missing.has(index)) continue
      const id = formatChunkId(chunkId)
      const role = roles?.roleOf(chunkId) ?? 'none'
      if (!id.startsWith(filter.prefixHex) || (filter.role !== undefined && filter.role !== role)) continue
      yield { chunkId: id, period, index, bytes: byteLength, role }
    }
  }
}
