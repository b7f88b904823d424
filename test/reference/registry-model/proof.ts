import { computeChunkIdFromRoot, computeSampleIndex, equalBytes } from '../../../core/index.ts'
import { demand } from './refusal.ts'
import { foldPath, hashLeaf, pathLength } from './tree.ts'

/*
 * A storage proof, read as docs/FORMAT.md says it: u32 byteLength || treeRoot || k x (leaf || path).
 */

const MAX_CHUNK_BYTES = 1_048_576
const LEAF_BYTES = 1024
const HASH_BYTES = 32
const HEAD_BYTES = 4 + HASH_BYTES

/** Refuses with PROOF_SHAPE what cannot be a proof of so many samples, whatever the bytes say. */
export function checkProofShape(proof: Uint8Array, seed: Uint8Array, samples: number): void {
  demand(proof.length >= HEAD_BYTES, 'PROOF_SHAPE')
  const byteLength = readLength(proof)
  demand(byteLength >= 1 && byteLength <= MAX_CHUNK_BYTES, 'PROOF_SHAPE')
  let expected = HEAD_BYTES
  for (const part of listSamples(byteLength, seed, samples)) expected += part.leafBytes + part.hashes * HASH_BYTES
  demand(proof.length === expected, 'PROOF_SHAPE')
}

/** Of a well-shaped proof: why it proves nothing; undefined when it proves the chunk. */
export function judgeProof(
  proof: Uint8Array,
  chunkId: Uint8Array,
  order: { readonly seed: Uint8Array; readonly samples: number },
): 'bad_chunk' | 'bad_path' | undefined {
  const byteLength = readLength(proof)
  const root = proof.subarray(4, HEAD_BYTES)
  if (!equalBytes(computeChunkIdFromRoot(byteLength, root), chunkId)) return 'bad_chunk'
  let offset = HEAD_BYTES
  for (const { index, leafCount, leafBytes, hashes } of listSamples(byteLength, order.seed, order.samples)) {
    const leaf = proof.subarray(offset, offset + leafBytes)
    offset += leafBytes
    const path = Array.from({ length: hashes }, (_, i) =>
      proof.subarray(offset + i * HASH_BYTES, offset + (i + 1) * HASH_BYTES),
    )
    offset += hashes * HASH_BYTES
    if (!equalBytes(foldPath(hashLeaf(leaf), path, { index, leafCount }), root)) return 'bad_path'
  }
  return undefined
}

function listSamples(byteLength: number, seed: Uint8Array, samples: number) {
  const leafCount = Math.ceil(byteLength / LEAF_BYTES)
  return Array.from({ length: samples }, (_, i) => {
    const index = computeSampleIndex(seed, i, leafCount)
    const leafBytes = Math.min(LEAF_BYTES, byteLength - index * LEAF_BYTES)
    return { index, leafCount, leafBytes, hashes: pathLength(index, leafCount) }
  })
}

function readLength(proof: Uint8Array): number {
  return new DataView(proof.buffer, proof.byteOffset).getUint32(0)
}
