import { sha256 } from '#crypto'
import {
  computeEraRoot,
  computeEraText,
  computeHashSlot,
  computeLeafHash,
  computePeriodRoot,
  computeTreeLevels,
  computeTreePath,
  ERA_PERIODS,
  type Evidence,
  encodePlacementLeaf,
  HASH_SLOTS,
  type Manifest,
  pickPath,
} from '../../core/index.ts'
import { ArgsWriter, u64Arg } from '../reference/args-writer.ts'
import { addChallenger, CHUNK_ID } from './challenge-steps.ts'
import {
  ANYONE,
  CHAIN_ID,
  CHALLENGER,
  type ConfigValues,
  call,
  deployRegistry,
  fund,
  goTo,
  MAS,
  signAs,
  type User,
  userOf,
  type World,
} from './registry-world.ts'

/*
 * A registry with `requireAnchors`: nodes with votes, eras whose chunks exist, placements, and evidence made from them.
 */

export const NETWORK = { chainId: CHAIN_ID, genesisTimestampMs: 0n }
const ANCHORED_CONFIG: ConfigValues = {
  requireAnchors: 1n,
  unbondingPeriods: 256n,
  adminDelayPeriods: 3000n,
  maxRewardPerPeriod: MAS,
  anchorQuorumPpm: 660_000n,
}
/** Stake, and so the vote, of each node of `deployAnchored`. */
export const VOTE = 10n * MAS
const FULL_BITMAP = 0xffff_ffff
/** The first of the nodes of `deployAnchored`, see `userOf`. */
export const FIRST_NODE = 100

export interface Era {
  readonly era: number
  readonly manifests: readonly Manifest[]
  readonly periodRoots: readonly Uint8Array[]
  readonly root: Uint8Array
  readonly totalBytes: bigint
  readonly totalChunks: bigint
}

/** Where a chunk stands in an era. */
export interface ChunkAt {
  /** 0 to 127 */
  readonly position: number
  readonly index: number
}

export interface Placement {
  readonly era: number
  readonly holders: readonly (readonly string[])[]
  readonly levels: readonly (readonly Uint8Array[])[]
  readonly root: Uint8Array
}

/** 11 full chunks in each period; the one at `at` is CHUNK_ID. */
export function makeEra(era: number, at?: ChunkAt, chunksPerPeriod = 11): Era {
  const manifests = Array.from({ length: ERA_PERIODS }, (_, position) => ({
    network: NETWORK,
    period: era * ERA_PERIODS + position,
    bitmap: FULL_BITMAP,
    chunks: Array.from({ length: chunksPerPeriod }, (_, index) => ({
      byteLength: 1_048_576,
      chunkId:
        at?.position === position && at.index === index
          ? CHUNK_ID
          : new Uint8Array(32).fill((position * 31 + index + era) & 255),
    })),
  }))
  const periodRoots = manifests.map(computePeriodRoot)
  const totalChunks = BigInt(ERA_PERIODS * chunksPerPeriod)
  const totalBytes = totalChunks * 1_048_576n
  const root = computeEraRoot({ network: NETWORK, era, totalBytes, totalChunks }, periodRoots)
  return { era, manifests, periodRoots, root, totalBytes, totalChunks }
}

/** Three of the nodes for each hash slot, going round. */
export function makePlacement(era: number, nodes: readonly User[]): Placement {
  const holders = Array.from({ length: HASH_SLOTS }, (_, hashSlot) =>
    [0, 1, 2].map((i) => nodes[(hashSlot + i) % nodes.length]?.address ?? ''),
  )
  const leaves = holders.map((addresses, hashSlot) => computeLeafHash(encodePlacementLeaf(hashSlot, addresses)))
  const levels = computeTreeLevels(leaves)
  const head = Buffer.alloc(25)
  head[0] = 6
  head.writeBigUInt64BE(NETWORK.chainId, 1)
  head.writeBigUInt64BE(BigInt(era), 17)
  // As computePlacementRoot, which would hash all leaves again.
  return { era, holders, levels, root: sha256(Buffer.concat([head, ...(levels.at(-1) ?? [])])) }
}

/** What shows that the chunk at `at` exists, and who holds it. */
export function makeEvidence(era: Era, at: ChunkAt, placement: Placement, chunkId: Uint8Array = CHUNK_ID): Evidence {
  const manifest = era.manifests[at.position]
  if (!manifest) throw new Error(`no position ${at.position}`)
  const hashSlot = computeHashSlot(chunkId)
  const chunkLeaves = manifest.chunks.map((chunk) => computeLeafHash(chunk.chunkId))
  return {
    era: BigInt(era.era),
    period: BigInt(manifest.period),
    bitmap: manifest.bitmap,
    chunkCount: manifest.chunks.length,
    chunkIndex: at.index,
    chunkPath: computeTreePath(chunkLeaves, at.index),
    periodPath: computeTreePath(era.periodRoots.map(computeLeafHash), at.position),
    placementEra: BigInt(placement.era),
    holders: placement.holders[hashSlot] ?? [],
    placementPath: pickPath(placement.levels, hashSlot),
  }
}

/** Arguments of anchorEra, signed by `signers` in the order given. */
export function anchorArgs(world: World, era: Era, placementRoot: Uint8Array, signers: readonly User[]): Uint8Array {
  const text = computeEraText({
    chainId: CHAIN_ID,
    contract: world.contract,
    era: era.era,
    eraRoot: era.root,
    totalBytes: era.totalBytes,
    totalChunks: era.totalChunks,
    nextPlacementRoot: placementRoot,
  })
  const writer = new ArgsWriter().u64(era.era).bytes(era.root).u64(era.totalBytes).u64(era.totalChunks)
  return writer
    .bytes(placementRoot)
    .byteStrings(signers.map((signer) => signAs(signer, text)))
    .finish()
}

export interface AnchoredWorld extends World {
  /** In order of the registry, each of 10 GB with a vote of 10 MAS. */
  readonly nodes: readonly User[]
}

/**
 * 1,000 MAS in the pool, CHALLENGER, `nodeCount` nodes of 10 GB, registered in era 0, whose weights count since era 3
 * (with a placement lag of 1; as much later as it is longer); now is the era after, when all from 1 on can be anchored.
 */
export function deployAnchored(nodeCount: number, config: ConfigValues = {}): AnchoredWorld {
  const world = deployRegistry({ ...ANCHORED_CONFIG, ...config })
  const nodes = Array.from({ length: nodeCount }, (_, i) => userOf(FIRST_NODE + i))
  call(world, ANYONE, 'fundRewards', undefined, 1000n * MAS)
  addChallenger(world, CHALLENGER)
  for (const node of nodes) {
    fund(world, node)
    call(world, node, 'registerStorageNode', u64Arg(10), 11n * MAS)
  }
  const dueEra = 2 + Number(config.placementLagEras ?? 1n)
  goTo(world, dueEra * ERA_PERIODS + 8)
  for (const node of nodes) call(world, node, 'updateStorageAllocation', u64Arg(10))
  goTo(world, (dueEra + 1) * ERA_PERIODS + 8)
  return { ...world, nodes }
}

/** As few signatures as the quorum of 66 % takes. */
export function anchor(world: AnchoredWorld, era: Era, placementRoot: Uint8Array): void {
  const signers = world.nodes.slice(0, Math.ceil(world.nodes.length * 0.67))
  call(world, ANYONE, 'anchorEra', anchorArgs(world, era, placementRoot, signers), MAS)
}

export const CHUNK_AT: ChunkAt = { position: 77, index: 10 }

/**
 * Eras 1 (with CHUNK_ID at CHUNK_AT) and 3 anchored, era 3 with the placement of era 4; now is era 5, when a
 * challenge may use it.
 */
export function anchorTwoEras(world: AnchoredWorld): { readonly era: Era; readonly placement: Placement } {
  const era = makeEra(1, CHUNK_AT)
  const placement = makePlacement(4, world.nodes)
  // Nobody uses the placement of era 2.
  anchor(world, era, new Uint8Array(32))
  anchor(world, makeEra(3), placement.root)
  goTo(world, 5 * ERA_PERIODS + 20)
  return { era, placement }
}

/** The node that comes first in the hash slot of CHUNK_ID. */
export function holderOf(world: AnchoredWorld): User {
  const holder = world.nodes[computeHashSlot(CHUNK_ID) % world.nodes.length]
  if (!holder) throw new Error('no nodes')
  return holder
}
