import { createHash } from 'node:crypto'
import { ByteWriter } from '../../../core/codec.ts'
import {
  computeChallengeSeed,
  computeChunkId,
  computeHashSlot,
  computeStorageProof,
  type Challenge as DrawnChallenge,
  encodePlacementLeaf,
} from '../../../core/index.ts'
import { hashAll, hashLeaf, hashNode } from '../../reference/registry-model/tree.ts'
import { SeededRandom } from './random.ts'

/** A chunk that really exists. */
export interface PoolChunk {
  readonly bytes: Uint8Array
  readonly id: Uint8Array
  readonly idText: string
}

const CHUNK_SIZES = [1, 1023, 1024, 1025, 2048, 3000, 5 * 1024 + 1, 17_000] as const
const ERA_PERIODS = 128
const HASH_SLOTS = 16_384

export const poolChunks: readonly PoolChunk[] = CHUNK_SIZES.map((size, i) => {
  const bytes = new SeededRandom(BigInt(1000 + i)).bytes(size)
  const id = computeChunkId(bytes)
  return { bytes, id, idText: Buffer.from(id).toString('hex') }
})

export function findChunk(id: Uint8Array): PoolChunk | undefined {
  const idText = Buffer.from(id).toString('hex')
  return poolChunks.find((chunk) => chunk.idText === idText)
}

export function makeProof(chunk: PoolChunk, challenge: DrawnChallenge, samples: number): Uint8Array {
  return computeStorageProof(chunk.bytes, { seed: computeChallengeSeed(challenge), samples })
}

/** Where a pool chunk is in a made era. */
interface ChunkPlace {
  readonly period: number
  readonly bitmap: number
  readonly chunkCount: number
  readonly chunkIndex: number
  readonly chunkPath: readonly Uint8Array[]
}

/**
 * An era with every pool chunk in it and the placement of the next one, made so that evidence can be: whatever no path
 * needs is a hash of nothing.
 */
export interface MadeEra {
  readonly era: bigint
  readonly root: Uint8Array
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  /** Of era + 1. */
  readonly placementRoot: Uint8Array
  /** In every hash slot, in order of rank. */
  readonly holders: readonly string[]
  /** Evidence that the chunk exists: up to the path of its period. */
  writeExistence(chunk: PoolChunk): Uint8Array
  /** Evidence of the holders in era + 1: from `placementEra` on. */
  writePlacement(chunk: PoolChunk): Uint8Array
}

export function makeEra(
  network: { readonly chainId: bigint; readonly genesisTimestampMs: bigint },
  claim: {
    readonly era: bigint
    readonly totalBytes: bigint
    readonly totalChunks: bigint
    readonly holders: readonly string[]
    readonly random: SeededRandom
  },
): MadeEra {
  const { era, totalBytes, totalChunks, holders, random } = claim
  const head = (prefix: number, number: bigint) =>
    new ByteWriter(64).u8(prefix).u64(network.chainId).u64(network.genesisTimestampMs).u64(number)
  const places = new Map<PoolChunk, ChunkPlace>()
  const periodLeaves = new Map<number, Uint8Array>()
  for (const chunk of poolChunks) {
    let periodIndex = random.int(ERA_PERIODS)
    while (periodLeaves.has(periodIndex)) periodIndex = (periodIndex + 1) % ERA_PERIODS
    const period = Number(era) * ERA_PERIODS + periodIndex
    const chunkCount = 1 + random.int(7)
    const chunkIndex = random.int(chunkCount)
    const bitmap = random.int(2 ** 32)
    const chunkTree = new SparseTree(chunkCount, new Map([[chunkIndex, hashLeaf(chunk.id)]]))
    const periodRoot = hashAll(head(3, BigInt(period)).u32(bitmap).u32(chunkCount).finish(), chunkTree.root)
    periodLeaves.set(periodIndex, hashLeaf(periodRoot))
    places.set(chunk, { period, bitmap, chunkCount, chunkIndex, chunkPath: chunkTree.path(chunkIndex) })
  }
  const eraTree = new SparseTree(ERA_PERIODS, periodLeaves)
  const slotLeaves = new Map<number, Uint8Array>()
  for (const { id } of poolChunks) {
    const hashSlot = computeHashSlot(id)
    slotLeaves.set(hashSlot, hashLeaf(encodePlacementLeaf(hashSlot, holders)))
  }
  const placementTree = new SparseTree(HASH_SLOTS, slotLeaves)
  return {
    era,
    totalBytes,
    totalChunks,
    holders,
    root: hashAll(head(4, era).u64(totalBytes).u64(totalChunks).finish(), eraTree.root),
    placementRoot: hashAll(head(6, era + 1n).finish(), placementTree.root),
    writeExistence: (chunk) => {
      const place = places.get(chunk)
      if (!place) throw new RangeError('not a pool chunk')
      const writer = new ByteWriter(512).u64(era).u64(BigInt(place.period)).u32(place.bitmap)
      writer.u32(place.chunkCount).u32(place.chunkIndex)
      for (const hash of place.chunkPath) writer.raw(hash)
      for (const hash of eraTree.path(place.period % ERA_PERIODS)) writer.raw(hash)
      return writer.finish()
    },
    writePlacement: (chunk) => {
      const hashSlot = computeHashSlot(chunk.id)
      const writer = new ByteWriter(1024).u64(era + 1n)
      writer.raw(encodePlacementLeaf(hashSlot, holders).subarray(2))
      for (const hash of placementTree.path(hashSlot)) writer.raw(hash)
      return writer.finish()
    },
  }
}

/** A tree of which only some leaves are anything. */
class SparseTree {
  readonly root: Uint8Array
  private readonly levels: (readonly [width: number, nodes: ReadonlyMap<number, Uint8Array>])[]

  constructor(leafCount: number, leaves: ReadonlyMap<number, Uint8Array>) {
    this.levels = [[leafCount, leaves]]
    let level = leaves
    for (let width = leafCount; width > 1; width = Math.ceil(width / 2)) {
      const parents = new Map<number, Uint8Array>()
      for (const index of level.keys()) {
        const left = index - (index % 2)
        const leftHash = level.get(left) ?? FILLER
        if (left + 1 < width) parents.set(left / 2, hashNode(leftHash, level.get(left + 1) ?? FILLER))
        else parents.set(left / 2, leftHash)
      }
      level = parents
      this.levels.push([Math.ceil(width / 2), level])
    }
    this.root = level.get(0) ?? FILLER
  }

  path(index: number): Uint8Array[] {
    const path: Uint8Array[] = []
    let at = index
    for (const [width, nodes] of this.levels) {
      if (width > 1 && (at ^ 1) < width) path.push(nodes.get(at ^ 1) ?? FILLER)
      at >>= 1
    }
    return path
  }
}

const FILLER = createHash('sha256').update('nothing').digest()
