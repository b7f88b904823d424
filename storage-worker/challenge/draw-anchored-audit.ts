import {
  type ChunkStore,
  computeHashSlot,
  type DrawChunk,
  ERA_PERIODS,
  type EraAnchor,
  type Period,
  selectDrawChunk,
  selectDrawEra,
} from '../../core/index.ts'
import type { AnchoredEras } from '../anchors/anchored-eras.ts'
import type { PastPlacements } from '../placement/past-placements.ts'
import {
  type AuditDraw,
  DRAW_ATTEMPTS,
  DRAW_LAG_PERIODS,
  type DrawSource,
  listEraChunks,
  readBlockIds,
  signDraw,
} from './draw-source.ts'

export interface AnchoredDrawModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk'>
  /** The first era that may be anchored. */
  readonly readFirstEra: () => Promise<number>
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
  const blockIds = await readBlockIds(modules.store, options.period - DRAW_LAG_PERIODS)
  const source = blockIds && (await openAnchoredSource(options, modules))
  if (!source || source === 'untold') return 'unarchived'
  return typeof source === 'string' ? undefined : await signDraw({ ...options, blockIds }, source)
}

/**
 * Who and what may be drawn in a period where the registry requires anchors.
 *
 * @returns `untold`: nobody tells what is anchored; `unanchored`: no placement is anchored that may be used; `unread`: it was not
 *   read here
 * @throws ArchiveError CHAIN_*; of the store
 */
export async function openAnchoredSource(
  { period, lagEras }: { readonly period: Period; readonly lagEras: number },
  modules: AnchoredDrawModules,
): Promise<DrawSource | 'untold' | 'unanchored' | 'unread'> {
  const eras = await listAnchored(period - DRAW_LAG_PERIODS, modules)
  if (!eras) return 'untold'
  const placementEra = findPlacementEra(eras, Math.floor(period / ERA_PERIODS) - lagEras)
  if (placementEra === undefined) return 'unanchored'
  const placement = await modules.placements.find(placementEra)
  if (!placement) return 'unread'
  return {
    nodes: placement.listHolders(),
    placementEra,
    async findChunk(draw, node): Promise<DrawChunk | 'none' | 'unarchived'> {
      const hashSlots = new Set(placement.listSlotsOf(node))
      for (let attempt = 0; attempt < DRAW_ATTEMPTS; attempt++) {
        const era = selectDrawEra(draw, attempt, eras)
        if (era === undefined) return 'none'
        const { chunks, isWhole } = await listEraChunks(modules.store, era)
        if (!isWhole) return 'unarchived'
        const given = chunks.filter(({ chunkId }) => hashSlots.has(computeHashSlot(chunkId)))
        const chunk = selectDrawChunk(draw, attempt, given)
        if (chunk) return chunk
      }
      return 'none'
    },
  }
}

/** Eras that were anchored by a period; undefined when nobody can tell at the moment. */
async function listAnchored(
  period: Period,
  { readFirstEra, anchors }: AnchoredDrawModules,
): Promise<readonly EraAnchor[] | undefined> {
  const firstEra = await readFirstEra()
  const count = Math.max(0, Math.floor(period / ERA_PERIODS) - firstEra)
  const found = await anchors.findAll(Array.from({ length: count }, (_, i) => firstEra + i))
  return found?.filter(({ anchoredPeriod }) => anchoredPeriod <= BigInt(period))
}

/** The newest placement that is anchored: its root stands in the record of the era before. */
function findPlacementEra(anchored: readonly EraAnchor[], newest: number): number | undefined {
  const eras = anchored.map(({ era }) => era + 1).filter((era) => era <= newest)
  return eras.length === 0 ? undefined : eras.reduce((a, b) => Math.max(a, b))
}
