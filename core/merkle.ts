import { sha256, sha256Into } from '#sha256'
import { concatBytes, equalBytes } from './bytes.ts'
import { ArchiveError } from './errors.ts'
import { LEAF_SIZE_BYTES } from './units.ts'

export const HASH_BYTES = 32
const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01

// Inputs are put together here: a fresh array for each of the 2,047 hashes of a chunk costs as much as hashing it.
const leafInput = new Uint8Array(1 + LEAF_SIZE_BYTES).fill(LEAF_PREFIX, 0, 1)
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES).fill(NODE_PREFIX, 0, 1)

/** RFC 6962 leaf hash: SHA-256(0x00 || leaf). */
export function computeLeafHash(leaf: Uint8Array): Uint8Array {
  return sha256(prefixLeaf(leaf))
}

/** The same, written to 32 bytes of `target`. */
export function leafHashInto(leaf: Uint8Array, target: Uint8Array, at: number): void {
  sha256Into(prefixLeaf(leaf), target, at)
}

function prefixLeaf(leaf: Uint8Array): Uint8Array {
  const input =
    leaf.length <= LEAF_SIZE_BYTES ? leafInput.subarray(0, 1 + leaf.length) : new Uint8Array(1 + leaf.length)
  input.set(leaf, 1)
  return input
}

/** RFC 6962 node hash: SHA-256(0x01 || left || right). */
export function computeNodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_BYTES)
  return sha256(nodeInput)
}

/**
 * RFC 6962 §2.1 tree head over leaf hashes.
 *
 * @param leafHashes - at least one, 32 bytes each
 */
export function computeTreeRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  return mergeTree(concatBytes(...leafHashes))
}

/**
 * The same over hashes that lie one behind the other; they are overwritten.
 *
 * Pairing neighbours level by level and carrying an odd last node up gives the same tree as the recursive split at
 * the largest power of two.
 */
export function mergeTree(hashes: Uint8Array): Uint8Array {
  if (hashes.length === 0) throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', 'a tree needs at least one leaf')
  // Each level in place of the one below: memory of its own for each of the 1,023 nodes of a chunk is felt.
  for (let end = hashes.length; end > HASH_BYTES; ) {
    let parent = 0
    for (let at = 0; at < end; at += 2 * HASH_BYTES, parent += HASH_BYTES) {
      const isPair = at + HASH_BYTES < end
      if (isPair) {
        nodeInput.set(hashes.subarray(at, at + 2 * HASH_BYTES), 1)
        sha256Into(nodeInput, hashes, parent)
      } else hashes.copyWithin(parent, at, end)
    }
    end = parent
  }
  return hashes.slice(0, HASH_BYTES)
}

/**
 * RFC 6962 §2.1.1 audit path of one leaf: sibling hashes from the leaf upward.
 *
 * @throws ArchiveError CORE_MERKLE_PROOF_INVALID when `index` is not a leaf
 */
export function computeTreePath(leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leafHashes.length) {
    throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', `leaf ${index} of ${leafHashes.length} does not exist`)
  }
  return pickPath(computeTreeLevels(leafHashes), index)
}

/** All levels of the tree, leaf hashes first, the root alone in the last: for several paths of one tree. */
export function computeTreeLevels(leafHashes: readonly Uint8Array[]): (readonly Uint8Array[])[] {
  const levels = [leafHashes]
  for (let level = leafHashes; level.length > 1; ) {
    level = computeParents(level)
    levels.push(level)
  }
  return levels
}

/** The audit path of one leaf from `computeTreeLevels`; `index` must be a leaf. */
export function pickPath(levels: readonly (readonly Uint8Array[])[], index: number): Uint8Array[] {
  const path: Uint8Array[] = []
  let position = index
  for (const level of levels) {
    const sibling = level[position ^ 1]
    if (sibling) path.push(sibling)
    position >>>= 1
  }
  return path
}

/** Siblings on the way up from leaf `index` of `leafCount`: what a path must measure, no more, no less. */
export function computePathLength(index: number, leafCount: number): number {
  let length = 0
  let position = index
  let width = leafCount
  while (width > 1) {
    if (siblingOf(position) < width) length++
    position = Math.floor(position / 2)
    width = Math.ceil(width / 2)
  }
  return length
}

/**
 * The root that a leaf hash and its path lead to.
 *
 * @throws ArchiveError CORE_MERKLE_PROOF_INVALID when the path is not exactly as long as index and count demand
 */
export function computeRootFromPath(
  leafHash: Uint8Array,
  path: readonly Uint8Array[],
  position: { readonly index: number; readonly leafCount: number },
): Uint8Array {
  const { index, leafCount } = position
  if (!Number.isInteger(index) || index < 0 || index >= leafCount) {
    throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', `leaf ${index} of ${leafCount} does not exist`)
  }
  const wanted = computePathLength(index, leafCount)
  if (path.length !== wanted) {
    throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', `path of ${path.length} hashes, want ${wanted}`)
  }
  let hash = leafHash
  let at = index
  let width = leafCount
  let used = 0
  while (width > 1) {
    if (siblingOf(at) < width) {
      const sibling = path[used++]
      if (sibling?.length !== HASH_BYTES) {
        throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', 'a hash of the path is not 32 bytes long')
      }
      hash = at % 2 === 0 ? computeNodeHash(hash, sibling) : computeNodeHash(sibling, hash)
    }
    at = Math.floor(at / 2)
    width = Math.ceil(width / 2)
  }
  return hash
}

/** Refuses (CORE_MERKLE_PROOF_INVALID) unless leaf hash and path lead to `root`. */
export function verifyTreePath(
  leafHash: Uint8Array,
  path: readonly Uint8Array[],
  position: { readonly index: number; readonly leafCount: number; readonly root: Uint8Array },
): void {
  if (!equalBytes(computeRootFromPath(leafHash, path, position), position.root)) {
    throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', 'leaf and path do not lead to the root')
  }
}

/** Not by `^`, which gives negative numbers from 2^31 on. */
function siblingOf(position: number): number {
  return position % 2 === 0 ? position + 1 : position - 1
}

function computeParents(level: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i]
    const right = level[i + 1]
    if (left && right) parents.push(computeNodeHash(left, right))
    else if (left) parents.push(left)
  }
  return parents
}
