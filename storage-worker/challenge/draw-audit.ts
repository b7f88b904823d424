import {
  type ChunkStore,
  computeHashSlot,
  type DrawChunk,
  type DrawEra,
  ERA_PERIODS,
  type Period,
  selectDrawChunk,
  selectDrawEra,
} from '../../core/index.ts'
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

/** Who may be drawn. */
export interface DrawNode {
  /** Massa address */
  readonly address: string
  /** As it declared in the registry; 0: all. */
  readonly retentionPeriods: bigint
}

export interface DrawModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk' | 'listSummaries' | 'readRange'>
  /** Those that may be drawn in a period; undefined when it was not read here who these are. */
  readonly listNodes: (period: Period) => Promise<readonly DrawNode[] | undefined>
  /** Whether the node says itself that it holds the chunks of a hash slot of this period. */
  readonly claims: (node: string, hashSlot: number, period: Period) => boolean
}

/**
 * Draws an audit (docs/FORMAT.md, Challenge draw), where no eras are anchored: what the node says that it holds stands for
 * placement and eras.
 *
 * @param options.keySeed - 32-byte secret of the challenger's Massa key
 * @param options.count - challenges of the audit, 1 to 8
 * @returns `unarchived` while the blocks that it depends on are not archived here, or it is not known who may be drawn;
 *   undefined without nodes, or where nothing is claimed
 * @throws ArchiveError of the store
 */
export async function drawAudit(
  options: { readonly period: Period; readonly keySeed: Uint8Array; readonly count: number },
  modules: DrawModules,
): Promise<AuditDraw | 'unarchived' | undefined> {
  const blockIds = await readBlockIds(modules.store, options.period - DRAW_LAG_PERIODS)
  const source = blockIds && (await openClaimedSource(options.period, modules))
  return source ? await signDraw({ ...options, blockIds }, source) : 'unarchived'
}

/**
 * Who and what may be drawn in a period where no eras are anchored. Only what is as old as the blocks that a draw depends on: how
 * far an archive has come by then is nobody else's to know.
 *
 * @returns undefined when it is not known who may be drawn
 * @throws ArchiveError of the store
 */
export async function openClaimedSource(
  period: Period,
  { store, listNodes, claims }: DrawModules,
): Promise<DrawSource | undefined> {
  const upTo = period - DRAW_LAG_PERIODS
  const nodes = await listNodes(period)
  if (!nodes) return undefined
  const eras = await listEras(store, upTo)
  const keptFrom = new Map(nodes.map(({ address, retentionPeriods: kept }) => [address, computeKeptFrom(upTo, kept)]))
  return {
    nodes: nodes.map(({ address }) => address),
    async findChunk(draw, node): Promise<DrawChunk | 'none'> {
      for (let attempt = 0; attempt < DRAW_ATTEMPTS; attempt++) {
        const era = selectDrawEra(draw, attempt, eras)
        if (era === undefined) return 'none'
        const { chunks } = await listEraChunks(store, era, upTo)
        const from = keptFrom.get(node) ?? 0
        const kept = chunks.filter(({ period: of }) => of >= from)
        const claimed = kept.filter(({ chunkId, period: of }) => claims(node, computeHashSlot(chunkId), of))
        const chunk = selectDrawChunk(draw, attempt, claimed)
        if (chunk) return chunk
      }
      return 'none'
    },
  }
}

/** Nodes of the placement that is in force when the blocks are made that a draw depends on; undefined when it was not read here. */
export async function listDrawNodes(
  period: Period,
  placements: Pick<PastPlacements, 'find'>,
): Promise<readonly DrawNode[] | undefined> {
  const placement = await placements.find(Math.floor((period - DRAW_LAG_PERIODS) / ERA_PERIODS))
  return placement?.snapshot.nodes
}

/**
 * The first period that a node has promised to keep when `upTo` is archived: it keeps 16 more (retention.ts), so that what is
 * drawn is there until it has to be shown.
 */
function computeKeptFrom(upTo: Period, retentionPeriods: bigint): Period {
  return retentionPeriods === 0n ? 0 : Math.max(0, upTo - Number(retentionPeriods) + 1)
}

/** Eras of this archive by their bytes up to a period. */
async function listEras(store: DrawModules['store'], upTo: Period): Promise<DrawEra[]> {
  const range = await store.readRange()
  if (!range) return []
  const bytesOf = new Map<number, bigint>()
  for await (const { period, bodyBytes } of store.listSummaries({
    from: range.first,
    to: Math.min(range.last, upTo),
  })) {
    const era = Math.floor(period / ERA_PERIODS)
    bytesOf.set(era, (bytesOf.get(era) ?? 0n) + BigInt(bodyBytes))
  }
  return [...bytesOf].map(([era, totalBytes]) => ({ era, totalBytes }))
}
