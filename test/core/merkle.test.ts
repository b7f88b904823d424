import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  computeTreeLevels,
  computeTreePath,
  computeTreeRoot,
  isArchiveError,
  pickPath,
  toHex,
  verifyTreePath,
} from '../../core/index.ts'
import { auditPath, treeHead } from '../reference/merkle.ts'

const leaves = fc.array(fc.uint8Array({ maxLength: 1100 }), { minLength: 1, maxLength: 70 })

describe('core/merkle', () => {
  it('gives the tree head of RFC 6962', () => {
    fc.assert(
      fc.property(leaves, (data) => {
        const hashes = data.map(computeLeafHash)
        assert.equal(toHex(computeTreeRoot(hashes)), toHex(treeHead(data)))
        assert.equal(toHex(computeTreeLevels(hashes).at(-1)?.[0] ?? new Uint8Array(0)), toHex(treeHead(data)))
      }),
    )
  })

  it('gives the audit paths of RFC 6962, and each leads back to the root', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), (data, n) => {
        const index = n % data.length
        const hashes = data.map(computeLeafHash)
        const path = computeTreePath(hashes, index)
        assert.deepEqual(path.map(toHex), auditPath(index, data).map(toHex))
        assert.deepEqual(pickPath(computeTreeLevels(hashes), index), path)
        assert.equal(computePathLength(index, data.length), path.length)
        const leaf = hashes[index] ?? new Uint8Array(0)
        verifyTreePath(leaf, path, { index, leafCount: data.length, root: computeTreeRoot(hashes) })
      }),
    )
  })

  it('refuses a flipped bit anywhere in leaf, path or root, another index, and a path one hash too long or short', () => {
    const data = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 2, maxLength: 40 })
    fc.assert(
      fc.property(data, fc.nat(), fc.nat(), (data, n, bit) => {
        const [index, leafCount] = [n % data.length, data.length]
        const hashes = data.map(computeLeafHash)
        const root = computeTreeRoot(hashes)
        const leaf = hashes[index] ?? new Uint8Array(0)
        const path = computeTreePath(hashes, index)
        const at = bit % path.length
        assertRefused(() => verifyTreePath(flip(leaf, bit), path, { index, leafCount, root }))
        assertRefused(() => verifyTreePath(leaf, path, { index, leafCount, root: flip(root, bit) }))
        const bent = path.map((hash, i) => (i === at ? flip(hash, bit) : hash))
        assertRefused(() => verifyTreePath(leaf, bent, { index, leafCount, root }))
        assertRefused(() => verifyTreePath(leaf, [...path, root], { index, leafCount, root }))
        assertRefused(() => verifyTreePath(leaf, path.slice(1), { index, leafCount, root }))
        const short = path.map((hash, i) => (i === at ? hash.subarray(1) : hash))
        assertRefused(() => verifyTreePath(leaf, short, { index, leafCount, root }))
      }),
    )
  })

  it('refuses a tree without leaves and a leaf that does not exist', () => {
    assertRefused(() => computeTreeRoot([]))
    const hashes = [computeLeafHash(Uint8Array.of(1))]
    for (const index of [-1, 1, 0.5, Number.NaN]) {
      assertRefused(() => computeTreePath(hashes, index))
      assertRefused(() => computeRootFromPath(hashes[0] ?? new Uint8Array(0), [], { index, leafCount: 1 }))
    }
  })

  it('keeps earlier hashes when its scratch space is used again', () => {
    const first = computeLeafHash(Uint8Array.of(1))
    const text = toHex(first)
    computeLeafHash(new Uint8Array(1024).fill(9))
    computeLeafHash(new Uint8Array(5000).fill(9))
    assert.equal(toHex(first), text)
    assert.equal(toHex(computeLeafHash(Uint8Array.of(1))), text)
  })

  it('limit: knows the path of the last leaf of 2^32 - 1', () => {
    // The last leaf of an odd number has no sibling at the bottom, and 2^32 - 2 is negative to bitwise operators.
    assert.equal(computePathLength(2 ** 32 - 2, 2 ** 32 - 1), 31)
    assert.equal(computePathLength(2 ** 32 - 3, 2 ** 32 - 1), 32)
    assert.equal(computePathLength(2 ** 31, 2 ** 31 + 1), 1)
    const path = Array.from({ length: 31 }, (_, i) => new Uint8Array(32).fill(i))
    const leaf = computeLeafHash(new Uint8Array(1))
    assert.equal(computeRootFromPath(leaf, path, { index: 2 ** 32 - 2, leafCount: 2 ** 32 - 1 }).length, 32)
  })
})

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  const at = bit % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8))
  return copy
}

function assertRefused(act: () => unknown): void {
  assert.throws(act, (error) => isArchiveError(error, 'CORE_MERKLE_PROOF_INVALID'))
}
