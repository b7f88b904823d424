import { type ChunkStore, ERA_PERIODS, type Period } from '../../core/index.ts'
import type { AnchoredEras } from '../anchors/anchored-eras.ts'
import type { PastPlacements } from '../placement/past-placements.ts'
import type { PlacementArchive } from '../placement/placement-archive.ts'
import { openAnchoredSource } from './draw-anchored-audit.ts'
import { listDrawNodes, openClaimedSource } from './draw-audit.ts'
import { DRAW_LAG_PERIODS, type DrawSource } from './draw-source.ts'

/** Who and what could be drawn in a period; a text says why that is not known here. */
export interface KnownSource {
  /** Undefined when not even that is known. */
  readonly isAnchored: boolean | undefined
  readonly source: DrawSource | string
}

export interface KnownSourceModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk' | 'readRange' | 'listSummaries'>
  readonly readings: Pick<PlacementArchive, 'find'>
  /** Made of the same. */
  readonly placements: Pick<PastPlacements, 'find'>
  readonly anchors: Pick<AnchoredEras, 'findAll'>
  /** As of `AnchoredDrawModules`. */
  readonly readFirstEra: () => Promise<number>
}

/**
 * By the settings and the placement that were in force, as they were read in their era: for who audits draws of the past. Where no
 * anchors are required the hash slots that placement gives a node stand for what it said that it holds.
 *
 * @throws ArchiveError CHAIN_*; of the store
 */
export async function openKnownSource(
  { registry, period }: { readonly registry: string; readonly period: Period },
  { store, readings, placements, anchors, readFirstEra }: KnownSourceModules,
): Promise<KnownSource> {
  const era = Math.floor((period - DRAW_LAG_PERIODS) / ERA_PERIODS)
  const unread = `the placement of era ${era} was not read here, or is not kept any more`
  const [reading, next] = [await readings.find(registry, era), await readings.find(registry, era + 1)]
  if (!reading) return { isAnchored: undefined, source: unread }
  const { lagEras } = reading
  const isAnchored = reading.snapshot.requireAnchors
  if (next && (next.snapshot.requireAnchors !== isAnchored || next.lagEras !== lagEras)) {
    return { isAnchored: undefined, source: `the settings that a draw depends on changed in era ${era}` }
  }
  if (!isAnchored) {
    const placement = await placements.find(era)
    const source = await openClaimedSource(period, {
      store,
      listNodes: (of) => listDrawNodes(of, placements),
      claims: (node, hashSlot) => placement?.addressesIn(hashSlot).includes(node) ?? false,
    })
    return { isAnchored, source: source ?? unread }
  }
  if (lagEras === undefined) return { isAnchored, source: unread }
  const source = await openAnchoredSource({ period, lagEras }, { store, readFirstEra, anchors, placements })
  if (source === 'untold') return { isAnchored, source: 'nobody tells at the moment which eras are anchored' }
  if (source === 'unread') {
    return { isAnchored, source: 'the anchored placement that counts was not read here, or is not kept any more' }
  }
  // Nobody may be drawn.
  return { isAnchored, source: source === 'unanchored' ? { nodes: [], findChunk: async () => 'none' } : source }
}
