import { hash } from 'node:crypto'

/*
 * Paths of RFC 6962 trees by the recursive definition: a tree of n leaves is split at the largest power of two below n.
 */

export interface LeafPosition {
  readonly index: number
  readonly leafCount: number
}

export function hashAll(...parts: readonly Uint8Array[]): Uint8Array {
  return hash('sha256', parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), 'buffer')
}

export function hashLeaf(leaf: Uint8Array): Uint8Array {
  return hashAll(Uint8Array.of(0), leaf)
}

export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hashAll(Uint8Array.of(1), left, right)
}

/** Hashes on the way from leaf to root. */
export function pathLength(index: number, leafCount: number): number {
  if (leafCount === 1) return 0
  const k = splitPoint(leafCount)
  return 1 + (index < k ? pathLength(index, k) : pathLength(index - k, leafCount - k))
}

/** The root that a leaf hash and its path (from the leaf upward, of the right length) lead to. */
export function foldPath(leafHash: Uint8Array, path: readonly Uint8Array[], at: LeafPosition): Uint8Array {
  const { index, leafCount } = at
  if (leafCount === 1) return leafHash
  const top = path.at(-1)
  if (!top) throw new RangeError('the path is too short')
  const below = path.slice(0, -1)
  const k = splitPoint(leafCount)
  return index < k
    ? hashNode(foldPath(leafHash, below, { index, leafCount: k }), top)
    : hashNode(top, foldPath(leafHash, below, { index: index - k, leafCount: leafCount - k }))
}

function splitPoint(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}
