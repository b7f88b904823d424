import { sha256 } from '#crypto'
import { concatBytes, equalBytes, toHex } from './bytes.ts'
import { type ChallengeKind, computeSampleIndex } from './challenge.ts'
import { computeChunkIdFromRoot, computeChunkLeafHashes } from './chunk.ts'
import { ByteReader, ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import {
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  computeTreeLevels,
  HASH_BYTES,
  pickPath,
} from './merkle.ts'
import { CHUNK_SIZE_BYTES, LEAF_SIZE_BYTES } from './units.ts'

/** Samples of one challenge in format 1, unless the network is configured otherwise. */
export const DEFAULT_SAMPLES = 2
/** Bounds a proof at 1.4 MB; breadth comes from many chunks, not from many leaves of one. */
export const MAX_SAMPLES = 1024

/** What decides the leaves that a proof must show. */
export interface SampleOrder {
  /** 32 bytes, see `computeChallengeSeed` */
  readonly seed: Uint8Array
  /** k, 1 to 1,024 */
  readonly samples: number
}

/**
 * Proof that a chunk is at hand: u32 byteLength || treeRoot || k x (leaf || path). 2 ms for a chunk of 1 MiB.
 *
 * @param chunk - 1 to 1,048,576 bytes, trusted: its id is not checked here
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE for another number of samples or bytes
 */
export function computeStorageProof(chunk: Uint8Array, order: SampleOrder): Uint8Array {
  checkSamples(order.samples)
  if (chunk.length < 1 || chunk.length > CHUNK_SIZE_BYTES) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `a chunk of ${chunk.length} bytes`)
  }
  const levels = computeTreeLevels(computeChunkLeafHashes(chunk))
  const leafCount = levels[0]?.length ?? 0
  const writer = new ByteWriter(36 + order.samples * (LEAF_SIZE_BYTES + 10 * HASH_BYTES)).u32(chunk.length)
  for (const root of levels.at(-1) ?? []) writer.raw(root)
  for (let i = 0; i < order.samples; i++) {
    const index = computeSampleIndex(order.seed, i, leafCount)
    writer.raw(chunk.subarray(index * LEAF_SIZE_BYTES, (index + 1) * LEAF_SIZE_BYTES))
    for (const sibling of pickPath(levels, index)) writer.raw(sibling)
  }
  return writer.finish()
}

/**
 * Refuses a proof unless it shows exactly the leaves that the seed asks for, and they lead to the chunk id.
 *
 * The length inside the chunk id fixes the number of leaves, hence each index, hence each length: nothing in a proof
 * is the prover's choice. Well under 1 ms.
 *
 * @param chunkId - 32 bytes
 * @throws ArchiveError CORE_PROOF_INVALID; CORE_NUMBER_OUT_OF_RANGE when `order.samples` is out of range
 */
export function verifyStorageProof(proof: Uint8Array, chunkId: Uint8Array, order: SampleOrder): void {
  checkSamples(order.samples)
  const reader = new ByteReader(proof, 'CORE_PROOF_INVALID')
  const byteLength = reader.u32()
  const root = reader.raw(HASH_BYTES)
  if (byteLength < 1 || byteLength > CHUNK_SIZE_BYTES) throw reader.error(`a chunk of ${byteLength} bytes`)
  if (!equalBytes(computeChunkIdFromRoot(byteLength, root), chunkId)) {
    throw reader.error('length and tree root do not make the chunk id')
  }
  const leafCount = Math.ceil(byteLength / LEAF_SIZE_BYTES)
  for (let i = 0; i < order.samples; i++) {
    const index = computeSampleIndex(order.seed, i, leafCount)
    const leaf = reader.raw(Math.min(LEAF_SIZE_BYTES, byteLength - index * LEAF_SIZE_BYTES))
    const path = Array.from({ length: computePathLength(index, leafCount) }, () => reader.raw(HASH_BYTES))
    if (!equalBytes(computeRootFromPath(computeLeafHash(leaf), path, { index, leafCount }), root)) {
      throw reader.error(`sample ${i} does not lead to the tree root`)
    }
  }
  reader.end()
}

/** The text that the prover signs with its Massa key, see `signText`. */
export function computeProofText(seed: Uint8Array, proof: Uint8Array, kind: ChallengeKind = 'challenge'): string {
  const label = kind === 'challenge' ? 'proof' : kind
  return `massa-storage/${label}/1:${toHex(sha256(concatBytes(seed, proof)))}`
}

function checkSamples(samples: number): void {
  if (!Number.isInteger(samples) || samples < 1 || samples > MAX_SAMPLES) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${samples} samples, 1 to ${MAX_SAMPLES} are possible`)
  }
}
