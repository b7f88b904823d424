import { equalBytes } from '../bytes.ts'
import { computeChunkIdFromRoot, computeChunkLeafHashes } from '../chunk.ts'
import { ArchiveError } from '../errors.ts'
import { computeLeafHash, computeTreeLevels } from '../merkle.ts'
import { LEAF_SIZE_BYTES } from '../units.ts'
import { computeRootFromSiblings, type LeafRange, pickSiblings } from './multiproof.ts'

/** Leaves of a chunk that stand one behind the other. */
export interface LeafRun {
  readonly firstLeaf: number
  /** Whole leaves: 1,024 bytes each, but for the last leaf of the chunk. */
  readonly bytes: Uint8Array
}

/** Some leaves of a chunk, and what leads from them to its id. */
export interface ChunkProof {
  /** Of the chunk in its period. */
  readonly index: number
  /** Of the whole chunk, 1 to 1,048,576; the chunk id binds it. */
  readonly byteLength: number
  /** Ascending, neither overlapping nor touching. */
  readonly runs: readonly LeafRun[]
  /** 32 bytes each: what `pickSiblings` gives. */
  readonly siblings: readonly Uint8Array[]
}

/**
 * Proves some leaves of a chunk; 2 ms per MiB.
 *
 * @param chunk - trusted: its id is not checked here
 * @param known - ascending, neither overlapping nor touching, at least one
 */
export function buildChunkProof(chunk: Uint8Array, index: number, known: readonly LeafRange[]): ChunkProof {
  const levels = computeTreeLevels(computeChunkLeafHashes(chunk))
  const runs = known.map(({ first, count }) => ({
    firstLeaf: first,
    bytes: chunk.subarray(first * LEAF_SIZE_BYTES, (first + count) * LEAF_SIZE_BYTES),
  }))
  return { index, byteLength: chunk.length, runs, siblings: pickSiblings(levels, known) }
}

/**
 * Refuses leaves that are not those of the chunk. The length inside the chunk id fixes how many leaves there are, hence where
 * each stands.
 *
 * @throws ArchiveError CORE_READING_CHUNK_INVALID
 */
export function verifyChunkProof(proof: ChunkProof, chunkId: Uint8Array): void {
  const { byteLength } = proof
  const leafCount = Math.ceil(byteLength / LEAF_SIZE_BYTES)
  const context = { chunk: proof.index }
  const refuse = (what: string, cause?: unknown): ArchiveError =>
    new ArchiveError('CORE_READING_CHUNK_INVALID', `chunk ${proof.index}: ${what}`, context, cause)
  const known = proof.runs.map(({ firstLeaf, bytes }) => ({
    first: firstLeaf,
    count: Math.ceil(bytes.length / LEAF_SIZE_BYTES),
  }))
  for (const { firstLeaf, bytes } of proof.runs) {
    const end = firstLeaf * LEAF_SIZE_BYTES + bytes.length
    if (bytes.length % LEAF_SIZE_BYTES !== 0 && end !== byteLength) throw refuse(`leaf ${firstLeaf}: not whole leaves`)
  }
  let run = 0
  const leafHash = (leaf: number): Uint8Array => {
    while (leaf >= (known[run]?.first ?? 0) + (known[run]?.count ?? 0)) run++
    const { firstLeaf = 0, bytes = new Uint8Array(0) } = proof.runs[run] ?? {}
    const at = (leaf - firstLeaf) * LEAF_SIZE_BYTES
    return computeLeafHash(bytes.subarray(at, at + LEAF_SIZE_BYTES))
  }
  let root: Uint8Array
  try {
    root = computeRootFromSiblings({ leafCount, known, leafHash, siblings: proof.siblings })
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : 'malformed', cause)
  }
  if (!equalBytes(computeChunkIdFromRoot(byteLength, root), chunkId)) {
    throw refuse('leaves and siblings do not lead to the chunk id')
  }
}
