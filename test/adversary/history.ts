import { createHash } from 'node:crypto'
import {
  CHUNK_SIZE_BYTES,
  computeChunkId,
  computeEraRoot,
  computeHashSlot,
  computeLeafHash,
  computePeriodRoot,
  computeTreeLevels,
  type DrawChunk,
  ERA_PERIODS,
  type Manifest,
  pickPath,
} from '../../core/index.ts'
import { CHAIN_ID } from './registry-chain.ts'

/*
 * What there is to be kept: seven eras of a full chain. The bytes of a chunk are real, so that proofs are, but few, so that
 * they are fast; eras are anchored with the totals of full chunks.
 */

export const NETWORK = { chainId: CHAIN_ID, genesisTimestampMs: 0n } as const
const FIRST_ERA = 1
export const HISTORY_ERAS = 7
export const CHUNKS_PER_PERIOD = 11
/** Three leaves, the last one shorter. */
const MADE_BYTES = 3_000
const FULL_BITMAP = 0xffff_ffff

export interface HistoryChunk extends DrawChunk {
  readonly hashSlot: number
}

/** Where a chunk stands in anchored history, as evidence shows it. */
export interface ChunkPlace {
  readonly bitmap: number
  readonly chunkCount: number
  readonly chunkPath: readonly Uint8Array[]
  readonly periodPath: readonly Uint8Array[]
}

export interface HistoryEra {
  readonly era: number
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  readonly root: Uint8Array
  readonly chunks: readonly HistoryChunk[]
}

interface Trees {
  /** By position in the era, then by level. */
  readonly ofPeriods: readonly (readonly (readonly Uint8Array[])[])[]
  readonly ofEra: readonly (readonly Uint8Array[])[]
}

const treesOf = new Map<number, Trees>()
let made: readonly HistoryEra[] | undefined

/** The same in every run; made once. */
export function listHistory(): readonly HistoryEra[] {
  made ??= Array.from({ length: HISTORY_ERAS }, (_, i) => makeEra(FIRST_ERA + i))
  return made
}

/** Of one chunk for each period, not to be drawn: what a placement can be anchored with. */
export function makeQuietEra(era: number): HistoryEra {
  return makeEra(era, 1)
}

export function readChunk({ period, index }: Pick<DrawChunk, 'period' | 'index'>): Uint8Array {
  return createHash('shake128', { outputLength: MADE_BYTES }).update(`chunk ${index} of ${period}`).digest()
}

export function findPlace({ period, index }: Pick<DrawChunk, 'period' | 'index'>): ChunkPlace {
  const trees = treesOf.get(Math.floor(period / ERA_PERIODS))
  const levels = trees?.ofPeriods[period % ERA_PERIODS]
  if (!trees || !levels) throw new RangeError(`no period ${period} in the history`)
  return {
    bitmap: FULL_BITMAP,
    chunkCount: levels[0]?.length ?? 0,
    chunkPath: pickPath(levels, index),
    periodPath: pickPath(trees.ofEra, period % ERA_PERIODS),
  }
}

function makeEra(era: number, chunksPerPeriod = CHUNKS_PER_PERIOD): HistoryEra {
  const manifests = Array.from({ length: ERA_PERIODS }, (_, i) => makeManifest(era * ERA_PERIODS + i, chunksPerPeriod))
  const periodRoots = manifests.map(computePeriodRoot)
  treesOf.set(era, {
    ofPeriods: manifests.map(({ chunks }) => computeTreeLevels(chunks.map(({ chunkId }) => computeLeafHash(chunkId)))),
    ofEra: computeTreeLevels(periodRoots.map(computeLeafHash)),
  })
  const totalChunks = BigInt(ERA_PERIODS * chunksPerPeriod)
  const totalBytes = totalChunks * BigInt(chunksPerPeriod === 1 ? MADE_BYTES : CHUNK_SIZE_BYTES)
  const root = computeEraRoot({ network: NETWORK, era, totalBytes, totalChunks }, periodRoots)
  const chunks = manifests.flatMap(({ period, chunks }) =>
    chunks.map((chunk, index) => ({ ...chunk, period, index, hashSlot: computeHashSlot(chunk.chunkId) })),
  )
  return { era, totalBytes, totalChunks, root, chunks }
}

function makeManifest(period: number, chunksPerPeriod: number): Manifest {
  const chunks = Array.from({ length: chunksPerPeriod }, (_, index) => ({
    byteLength: MADE_BYTES,
    chunkId: computeChunkId(readChunk({ period, index })),
  }))
  return { network: NETWORK, period, bitmap: FULL_BITMAP, chunks }
}
