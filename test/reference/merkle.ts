import { createHash } from 'node:crypto'

/*
 * RFC 6962, section 2.1, word by word: slow, recursive, over leaf data. The oracle for core/merkle.ts.
 */

function hash(...parts: Uint8Array[]): Uint8Array {
  const sha256 = createHash('sha256')
  for (const part of parts) sha256.update(part)
  return new Uint8Array(sha256.digest())
}

/** The largest power of two smaller than n. */
function splitPoint(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}

/** MTH(D[n]) of at least one leaf. */
export function treeHead(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) throw new Error('no leaves')
  if (leaves.length === 1) return hash(Uint8Array.of(0), first)
  const k = splitPoint(leaves.length)
  return hash(Uint8Array.of(1), treeHead(leaves.slice(0, k)), treeHead(leaves.slice(k)))
}

/** PATH(m, D[n]). */
export function auditPath(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return []
  const k = splitPoint(leaves.length)
  return m < k
    ? [...auditPath(m, leaves.slice(0, k)), treeHead(leaves.slice(k))]
    : [...auditPath(m - k, leaves.slice(k)), treeHead(leaves.slice(0, k))]
}
