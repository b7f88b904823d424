import {
  type ChunkStore,
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawText,
  computeHashSlot,
  concatBytes,
  type DrawChunk,
  type DrawEra,
  ERA_PERIODS,
  type Period,
  parseBody,
  selectDrawChunk,
  selectDrawEra,
  selectDrawNode,
  signText,
} from '../../core/index.ts'
import type { ChallengeTarget } from './chain-challenger.ts'

/** The blocks that a draw depends on are this old: final, and the same for everybody. */
export const DRAW_LAG_PERIODS = 8
const ATTEMPTS = 64

/** Which node is to prove what, by the draw of one challenger in one period. */
export interface AuditDraw {
  /** Massa address */
  readonly node: string
  /** Up to eight; fewer where it claims little of what there is. */
  readonly targets: readonly ChallengeTarget[]
  /** 65 bytes, with which anybody recomputes it. */
  readonly signature: Uint8Array
}

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

/** Of the blocks of a period in thread order, 33 bytes each; undefined when it is not whole here. */
async function readBlockIds(store: DrawModules['store'], period: Period): Promise<Uint8Array[] | undefined> {
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
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const era = selectDrawEra(draw, attempt, eras)
    if (era === undefined) return undefined
    const all = await listChunks(store, era)
    const claimed = all.filter(({ chunkId, period }) => claims(node, computeHashSlot(chunkId), period))
    const chunk = selectDrawChunk(draw, attempt, claimed)
    if (chunk) return chunk
  }
  return undefined
}

async function listChunks(store: DrawModules['store'], era: number): Promise<DrawChunk[]> {
  const chunks: DrawChunk[] = []
  for (let period = era * ERA_PERIODS; period < (era + 1) * ERA_PERIODS; period++) {
    const manifest = await store.readManifest(period)
    for (const [index, { byteLength, chunkId }] of manifest?.chunks.entries() ?? []) {
      chunks.push({ period, index, byteLength, chunkId })
    }
  }
  return chunks
}
