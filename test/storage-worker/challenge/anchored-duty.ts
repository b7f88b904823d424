import {
  type ChunkPlace,
  computeEraKey,
  computeHolders,
  computePeriodRoot,
  computePlacementRoot,
  type EraAnchor,
  type Manifest,
  type PeriodSummary,
  type PlacementSnapshot,
  readEraRecord,
  toHex,
} from '../../../core/index.ts'
import { ChunkEvidence } from '../../../storage-worker/challenge/chunk-evidence.ts'
import { PastPlacements } from '../../../storage-worker/placement/past-placements.ts'
import { PlacementArchive } from '../../../storage-worker/placement/placement-archive.ts'
import {
  type AnchoredWorld,
  anchor,
  CHUNK_AT,
  deployAnchored,
  type Era,
  FIRST_NODE,
  makeEra,
  NETWORK,
} from '../../sc/anchored-world.ts'
import { CHALLENGER, goTo, userOf } from '../../sc/registry-world.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'
import { registered } from '../replication/audited-nodes.ts'
import { openMemoryLevel } from '../temp-store.ts'

export const PLACEMENT_ERA = 4
/** Era 1 has the chunk CHUNK_ID, and is anchored. */
export const ERA = 1

/** A registry that requires anchors, and an archive of what they cover. */
export interface AnchoredDuty {
  readonly world: AnchoredWorld
  readonly registry: EngineRegistry
  readonly era: Era
  readonly snapshot: PlacementSnapshot
  /** By hash slot. */
  readonly holders: readonly (readonly string[])[]
  /** By period: what is archived. */
  readonly manifests: Map<number, Manifest>
  readonly placements: PlacementArchive
  readonly anchors: {
    find(era: number): Promise<EraAnchor | undefined>
    findAll(eras: readonly number[]): Promise<readonly EraAnchor[]>
  }
  readonly store: ReturnType<typeof makeStore>
  readonly evidence: ChunkEvidence
}

/**
 * Three nodes, and one that registers when a test has it do so, with two copies of each chunk among them; eras 1 and 3 anchored, era
 * 3 with the placement of era 4; now is era 5, in which a challenge may refer to it.
 */
export async function makeAnchoredDuty(): Promise<AnchoredDuty> {
  const world = deployAnchored(3)
  const nodes = [0, 1, 2, 3].map((i) => registered(userOf(FIRST_NODE + i).address))
  const rest = { network: NETWORK, replicas: 2, eraBytes: 0n, requireAnchors: true }
  const snapshot: PlacementSnapshot = { ...rest, era: PLACEMENT_ERA, nodes }
  const holders = computeHolders(snapshot).map(({ addresses }) => addresses)
  const era = makeEra(ERA, CHUNK_AT)
  anchor(world, era, new Uint8Array(32))
  anchor(world, makeEra(PLACEMENT_ERA - 1), computePlacementRoot(NETWORK, PLACEMENT_ERA, holders))
  goTo(world, 5 * 128 + 20)
  const placements = new PlacementArchive(await openMemoryLevel('index'))
  await placements.put(world.contract, { snapshot, replicationFactor: 2, lagEras: 1, period: PLACEMENT_ERA * 128 + 8 })
  const manifests = new Map(era.manifests.map((manifest) => [manifest.period, manifest]))
  const registry = new EngineRegistry(world, CHALLENGER)
  const read = (each: number) => {
    const record = world.engine.ledger.value(world.contract, computeEraKey(each))
    return record && readEraRecord(each, record)
  }
  const anchors = {
    find: async (each: number) => read(each),
    findAll: async (eras: readonly number[]) => eras.flatMap((each) => read(each) ?? []),
  }
  const store = makeStore(manifests)
  const past = new PastPlacements(world.contract, placements)
  const evidence = new ChunkEvidence({ client: registry.client, store, anchors, placements: past })
  return { world, registry, era, snapshot, holders, manifests, placements, anchors, store, evidence }
}

function makeStore(manifests: ReadonlyMap<number, Manifest>) {
  return {
    identity: { network: NETWORK, chunkSizeBytes: 1_048_576 },
    readManifest: async (period: number) => manifests.get(period),
    async findChunks(prefixHex: string, limit: number): Promise<ChunkPlace[]> {
      const places = [...manifests.values()].flatMap(({ period, chunks }) =>
        chunks.map(({ chunkId }, index) => ({ chunkId, period, index })),
      )
      return places.filter(({ chunkId }) => toHex(chunkId).startsWith(prefixHex)).slice(0, limit)
    },
    async *listSummaries({ from, to }: { from: number; to: number }): AsyncGenerator<PeriodSummary> {
      for (const [period, manifest] of manifests) {
        if (period < from || period > to) continue
        const root = computePeriodRoot(manifest)
        yield { period, root, bodyBytes: 0, blocks: 1, operations: 0, chunks: manifest.chunks.length }
      }
    },
  }
}
