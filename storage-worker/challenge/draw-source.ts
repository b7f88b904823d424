import {
  type ChunkStore,
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawText,
  concatBytes,
  type DrawChunk,
  ERA_PERIODS,
  type Period,
  parseBody,
  selectDrawNode,
  signText,
} from '../../core/index.ts'
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

/** Who and what may be drawn in one period. */
export interface DrawSource {
  /** Massa addresses, in any order. */
  readonly nodes: readonly string[]
  /** As of an `AuditDraw`. */
  readonly placementEra?: number
  /**
   * What one challenge asks a node for.
   *
   * @param draw - D of the challenge, 32 bytes
   * @returns `none`: none is due; `unarchived`: it is of an era that is not whole here
   * @throws ArchiveError of the store
   */
  findChunk(draw: Uint8Array, node: string): Promise<DrawChunk | 'none' | 'unarchived'>
}

/**
 * Signs a draw, and names what it draws. A challenge of an era that is not whole here is left out, and no other stands in for
 * it.
 *
 * @param options.keySeed - 32-byte secret of the challenger's Massa key
 * @param options.count - challenges of the audit, 1 to 8
 * @param options.blockIds - of period - 8 in thread order, 33 bytes each
 * @returns undefined without nodes, or where no challenge is due
 * @throws ArchiveError of the store
 */
export async function signDraw(
  options: {
    readonly period: Period
    readonly keySeed: Uint8Array
    readonly count: number
    readonly blockIds: readonly Uint8Array[]
  },
  source: DrawSource,
): Promise<AuditDraw | undefined> {
  const { period, keySeed, count, blockIds } = options
  const { signature } = signText(keySeed, computeDrawText(period, blockIds))
  const draw = computeDraw(signature.subarray(1))
  const node = selectDrawNode(draw, source.nodes)
  if (node === undefined) return undefined
  const targets: ChallengeTarget[] = []
  for (let j = 0; j < count; j++) {
    const own = computeAuditDraw(draw, j)
    const chunk = await source.findChunk(own, node)
    if (typeof chunk === 'string') continue
    const target = { challengeId: computeDrawChallengeId(own), chunkId: chunk.chunkId, nonce: computeDrawNonce(own) }
    targets.push({ ...target, drawSignature: signature })
  }
  if (targets.length === 0) return undefined
  const { placementEra } = source
  return { node, targets, signature, ...(placementEra === undefined ? {} : { placementEra }) }
}

/** BODY of a period; undefined when it is not whole here. @throws ArchiveError of the store */
export async function readBody(store: Pick<ChunkStore, 'readManifest' | 'readChunk'>, period: Period) {
  const manifest = period < 0 ? undefined : await store.readManifest(period)
  if (!manifest) return undefined
  const chunks: Uint8Array[] = []
  for (const index of manifest.chunks.keys()) {
    const chunk = await store.readChunk(period, index)
    if (!chunk) return undefined
    chunks.push(chunk)
  }
  return parseBody(concatBytes(...chunks))
}

/** Of the blocks of a period in thread order, 33 bytes each; undefined when it is not whole here. @throws ArchiveError of the store */
export async function readBlockIds(
  store: Pick<ChunkStore, 'readManifest' | 'readChunk'>,
  period: Period,
): Promise<Uint8Array[] | undefined> {
  const body = await readBody(store, period)
  return body?.slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record.id] : []))
}

/** What is archived here of an era. @param upTo - last period that counts @throws ArchiveError of the store */
export async function listEraChunks(
  store: Pick<ChunkStore, 'readManifest'>,
  era: number,
  upTo: Period = Number.POSITIVE_INFINITY,
): Promise<{ readonly chunks: readonly DrawChunk[]; readonly isWhole: boolean }> {
  const chunks: DrawChunk[] = []
  let isWhole = true
  for (let period = era * ERA_PERIODS; period < (era + 1) * ERA_PERIODS && period <= upTo; period++) {
    const manifest = await store.readManifest(period)
    if (!manifest) isWhole = false
    for (const [index, { byteLength, chunkId }] of manifest?.chunks.entries() ?? []) {
      chunks.push({ period, index, byteLength, chunkId })
    }
  }
  return { chunks, isWhole }
}
