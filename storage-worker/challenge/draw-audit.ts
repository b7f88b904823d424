import {
  type ChunkStore,
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawText,
  computeHashSlot,
  type DrawChunk,
  type DrawEra,
  ERA_PERIODS,
  type Period,
  selectDrawChunk,
  selectDrawEra,
  selectDrawNode,
  signText,
} from '../../core/index.ts'
import type { ChallengeTarget } from './chain-challenger.ts'
import { type AuditDraw, DRAW_ATTEMPTS, DRAW_LAG_PERIODS, listEraChunks, readBlockIds } from './draw-source.ts'

export interface DrawModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk' | 'listSummaries' | 'readRange'>
  /** Massa addresses of those that may be drawn. */
  readonly listNodes: () => readonly string[]
  /** Whether the node says itself that it holds the chunks of a hash slot of this period. */
  readonly claims: (node: string, hashSlot: number, period: Period) => boolean
}

/**
 * Draws an audit (docs/FORMAT.md, Challenge draw), where no eras are anchored: what the node says that it holds stands for
 * placement and eras.
 *
 * @param options.keySeed - 32-byte secret of the challenger's Massa key
 * @param options.count - challenges of the audit, 1 to 8
 * @returns `unarchived` while the blocks that it depends on are not archived here; undefined without nodes, or where nothing is
 *   claimed
 * @throws ArchiveError of the store
 */
export async function drawAudit(
  options: { readonly period: Period; readonly keySeed: Uint8Array; readonly count: number },
  modules: DrawModules,
): Promise<AuditDraw | 'unarchived' | undefined> {
  const { period, keySeed, count } = options
  const blockIds = await readBlockIds(modules.store, period - DRAW_LAG_PERIODS)
  if (!blockIds) return 'unarchived'
  const { signature } = signText(keySeed, computeDrawText(period, blockIds))
  const draw = computeDraw(signature.subarray(1))
  const node = selectDrawNode(draw, modules.listNodes())
  if (node === undefined) return undefined
  const eras = await listEras(modules.store)
  const targets: ChallengeTarget[] = []
  for (let j = 0; j < count; j++) {
    const own = computeAuditDraw(draw, j)
    const chunk = await selectChunk(own, node, eras, modules)
    if (!chunk) continue
    const target = { challengeId: computeDrawChallengeId(own), chunkId: chunk.chunkId, nonce: computeDrawNonce(own) }
    targets.push({ ...target, drawSignature: signature })
  }
  return targets.length === 0 ? undefined : { node, targets, signature }
}

/** Eras of this archive by their bytes, as far as they have come. */
async function listEras(store: DrawModules['store']): Promise<DrawEra[]> {
  const range = await store.readRange()
  if (!range) return []
  const bytesOf = new Map<number, bigint>()
  for await (const { period, bodyBytes } of store.listSummaries({ from: range.first, to: range.last })) {
    const era = Math.floor(period / ERA_PERIODS)
    bytesOf.set(era, (bytesOf.get(era) ?? 0n) + BigInt(bodyBytes))
  }
  return [...bytesOf].map(([era, totalBytes]) => ({ era, totalBytes }))
}

async function selectChunk(
  draw: Uint8Array,
  node: string,
  eras: readonly DrawEra[],
  { store, claims }: DrawModules,
): Promise<DrawChunk | undefined> {
  for (let attempt = 0; attempt < DRAW_ATTEMPTS; attempt++) {
    const era = selectDrawEra(draw, attempt, eras)
    if (era === undefined) return undefined
    const { chunks } = await listEraChunks(store, era)
    const claimed = chunks.filter(({ chunkId, period }) => claims(node, computeHashSlot(chunkId), period))
    const chunk = selectDrawChunk(draw, attempt, claimed)
    if (chunk) return chunk
  }
  return undefined
}
