import { type ChunkStore, concatBytes, type DrawChunk, ERA_PERIODS, type Period, parseBody } from '../../core/index.ts'
import type { ChallengeTarget } from './chain-challenger.ts'

/** The blocks that a draw depends on are this old: final, and the same for everybody. */
export const DRAW_LAG_PERIODS = 8
/** Eras that are tried for one challenge, before none is due. */
export const DRAW_ATTEMPTS = 64

/** Which node is to prove what, by the draw of one challenger in one period. */
export interface AuditDraw {
  /** Massa address */
  readonly node: string
  /** Up to eight; fewer where the node has little of what there is. */
  readonly targets: readonly ChallengeTarget[]
  /** 65 bytes, with which anybody recomputes it. */
  readonly signature: Uint8Array
  /** Where eras are anchored: of the placement by which the node is to hold the chunks. */
  readonly placementEra?: number
}

/** Of the blocks of a period in thread order, 33 bytes each; undefined when it is not whole here. @throws ArchiveError of the store */
export async function readBlockIds(
  store: Pick<ChunkStore, 'readManifest' | 'readChunk'>,
  period: Period,
): Promise<Uint8Array[] | undefined> {
  const manifest = period < 0 ? undefined : await store.readManifest(period)
  if (!manifest) return undefined
  const chunks: Uint8Array[] = []
  for (const index of manifest.chunks.keys()) {
    const chunk = await store.readChunk(period, index)
    if (!chunk) return undefined
    chunks.push(chunk)
  }
  return parseBody(concatBytes(...chunks)).slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record.id] : []))
}

/** What is archived here of an era. @throws ArchiveError of the store */
export async function listEraChunks(
  store: Pick<ChunkStore, 'readManifest'>,
  era: number,
): Promise<{ readonly chunks: readonly DrawChunk[]; readonly isWhole: boolean }> {
  const chunks: DrawChunk[] = []
  let isWhole = true
  for (let period = era * ERA_PERIODS; period < (era + 1) * ERA_PERIODS; period++) {
    const manifest = await store.readManifest(period)
    if (!manifest) isWhole = false
    for (const [index, { byteLength, chunkId }] of manifest?.chunks.entries() ?? []) {
      chunks.push({ period, index, byteLength, chunkId })
    }
  }
  return { chunks, isWhole }
}
