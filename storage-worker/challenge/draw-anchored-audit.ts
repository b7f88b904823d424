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
  type EraAnchor,
  type Period,
  selectDrawChunk,
  selectDrawEra,
  selectDrawNode,
  signText,
} from '../../core/index.ts'
import type { AnchoredEras } from '../anchors/anchored-eras.ts'
import type { PastPlacements } from '../placement/past-placements.ts'
import type { RegistryClient } from '../registry-client.ts'
import type { ChallengeTarget } from './chain-challenger.ts'
import { type AuditDraw, DRAW_ATTEMPTS, DRAW_LAG_PERIODS, listEraChunks, readBlockIds } from './draw-source.ts'

export interface AnchoredDrawModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk'>
  readonly client: Pick<RegistryClient, 'readState'>
  readonly anchors: Pick<AnchoredEras, 'findAll'>
  readonly placements: Pick<PastPlacements, 'find'>
}

/**
 * Draws an audit (docs/FORMAT.md, Challenge draw) where the registry requires anchors: a node of an anchored placement, and chunks
 * of anchored eras in the hash slots that it gives the node.
 *
 * What others compute from the signature depends on no archive; a challenge that names an era which is not whole here is left
 * out.
 *
 * @param options.keySeed - 32-byte secret of the challenger's Massa key
 * @param options.count - challenges of the audit, 1 to 8
 * @param options.lagEras - of the registry's settings
 * @returns `unarchived` while the blocks that it depends on are not archived here, or nobody tells what is anchored; undefined
 *   where no placement is anchored that may be used, or it was not read here, or names no chunk that is archived here
 * @throws ArchiveError CHAIN_*; of the store
 */
export async function drawAnchoredAudit(
  options: {
    readonly period: Period
    readonly keySeed: Uint8Array
    readonly count: number
    readonly lagEras: number
  },
  modules: AnchoredDrawModules,
): Promise<AuditDraw | 'unarchived' | undefined> {
  const { period, keySeed, count, lagEras } = options
  const blockIds = await readBlockIds(modules.store, period - DRAW_LAG_PERIODS)
  const eras = blockIds && (await listAnchored(period - DRAW_LAG_PERIODS, modules))
  if (!blockIds || !eras) return 'unarchived'
  const placementEra = findPlacementEra(eras, Math.floor(period / ERA_PERIODS) - lagEras)
  const placement = placementEra === undefined ? undefined : await modules.placements.find(placementEra)
  if (placementEra === undefined || !placement) return undefined

  const { signature } = signText(keySeed, computeDrawText(period, blockIds))
  const draw = computeDraw(signature.subarray(1))
  const node = selectDrawNode(draw, placement.listHolders())
  if (node === undefined) return undefined
  const hashSlots = new Set(placement.listSlotsOf(node))
  const targets: ChallengeTarget[] = []
  for (let j = 0; j < count; j++) {
    const own = computeAuditDraw(draw, j)
    const chunk = await selectChunk(own, { eras, hashSlots }, modules.store)
    if (!chunk) continue
    const target = { challengeId: computeDrawChallengeId(own), chunkId: chunk.chunkId, nonce: computeDrawNonce(own) }
    targets.push({ ...target, drawSignature: signature })
  }
  return targets.length === 0 ? undefined : { node, targets, signature, placementEra }
}

/** Eras that were anchored by a period; undefined when nobody can tell at the moment. */
async function listAnchored(
  period: Period,
  { client, anchors }: AnchoredDrawModules,
): Promise<readonly EraAnchor[] | undefined> {
  const firstEra = Number((await client.readState()).firstEra)
  const count = Math.max(0, Math.floor(period / ERA_PERIODS) - firstEra)
  const found = await anchors.findAll(Array.from({ length: count }, (_, i) => firstEra + i))
  return found?.filter(({ anchoredPeriod }) => anchoredPeriod <= BigInt(period))
}

/** The newest placement that is anchored: its root stands in the record of the era before. */
function findPlacementEra(anchored: readonly EraAnchor[], newest: number): number | undefined {
  const eras = anchored.map(({ era }) => era + 1).filter((era) => era <= newest)
  return eras.length === 0 ? undefined : eras.reduce((a, b) => Math.max(a, b))
}

/** Undefined when none is due, or it is of an era that is not whole here. */
async function selectChunk(
  draw: Uint8Array,
  { eras, hashSlots }: { readonly eras: readonly DrawEra[]; readonly hashSlots: ReadonlySet<number> },
  store: AnchoredDrawModules['store'],
): Promise<DrawChunk | undefined> {
  for (let attempt = 0; attempt < DRAW_ATTEMPTS; attempt++) {
    const era = selectDrawEra(draw, attempt, eras)
    if (era === undefined) return undefined
    const { chunks, isWhole } = await listEraChunks(store, era)
    if (!isWhole) return undefined
    const given = chunks.filter(({ chunkId }) => hashSlots.has(computeHashSlot(chunkId)))
    const chunk = selectDrawChunk(draw, attempt, given)
    if (chunk) return chunk
  }
  return undefined
}
