import assert from 'node:assert/strict'
import fc from 'fast-check'
import { computeLeafHash, computeTreeLevels, computeTreeRoot, isArchiveError, toHex } from '../../../core/index.ts'
import { computeRootFromSiblings, type LeafRange, pickSiblings } from '../../../core/reading/multiproof.ts'

/** Hashes of so many leaves, all different. */
function makeLeaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, leaf) => computeLeafHash(Uint8Array.of(leaf & 0xff, leaf >> 8)))
}

function toRanges(leaves: readonly number[]): LeafRange[] {
  const ranges: LeafRange[] = []
  for (const first of leaves) {
    const last = ranges.at(-1)
    if (last && last.first + last.count === first) ranges.splice(-1, 1, { ...last, count: last.count + 1 })
    else ranges.push({ first, count: 1 })
  }
  return ranges
}

/** By definition: the largest subtrees without a known leaf, found from the root downward. */
function listOpen(hashes: readonly Uint8Array[], from: number, known: ReadonlySet<number>): Uint8Array[] {
  if (!hashes.some((_, i) => known.has(from + i))) return [computeTreeRoot(hashes)]
  if (hashes.length === 1) return []
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1)
  return [...listOpen(hashes.slice(0, half), from, known), ...listOpen(hashes.slice(half), from + half, known)]
}

const tree = fc.integer({ min: 1, max: 70 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    known: fc.uniqueArray(fc.nat(count - 1), { minLength: 1 }).map((leaves) => leaves.sort((a, b) => a - b)),
  }),
)

describe('core/reading/multiproof', () => {
  it('siblings are those that the definition says, and lead to the root', () => {
    fc.assert(
      fc.property(tree, ({ count, known }) => {
        const leaves = makeLeaves(count)
        const siblings = pickSiblings(computeTreeLevels(leaves), toRanges(known))
        assert.deepEqual(siblings.map(toHex), listOpen(leaves, 0, new Set(known)).map(toHex))
        const asked: number[] = []
        const leafHash = (leaf: number) => {
          asked.push(leaf)
          return leaves[leaf] ?? assert.fail(`leaf ${leaf}`)
        }
        const root = computeRootFromSiblings({ leafCount: count, known: toRanges(known), leafHash, siblings })
        assert.equal(toHex(root), toHex(computeTreeRoot(leaves)))
        assert.deepEqual(asked, known)
      }),
      { numRuns: 200 },
    )
  })

  it('a sibling more or fewer is refused; another one, or two that changed places, lead to another root', () => {
    fc.assert(
      fc.property(tree, fc.nat(), ({ count, known }, draw) => {
        const leaves = makeLeaves(count)
        const root = toHex(computeTreeRoot(leaves))
        const ranges = toRanges(known)
        const siblings = pickSiblings(computeTreeLevels(leaves), ranges)
        const leafHash = (leaf: number) => leaves[leaf] ?? new Uint8Array(32)
        const compute = (given: readonly Uint8Array[]) =>
          toHex(computeRootFromSiblings({ leafCount: count, known: ranges, leafHash, siblings: given }))
        assertRefused(() => compute([...siblings, new Uint8Array(32)]))
        if (siblings.length === 0) return
        assertRefused(() => compute(siblings.slice(1)))
        const at = draw % siblings.length
        assert.notEqual(compute(siblings.with(at, new Uint8Array(32))), root)
        const [first, second, ...rest] = siblings
        if (first && second) assert.notEqual(compute([second, first, ...rest]), root)
      }),
      { numRuns: 100, seed: 5 },
    )
  })

  const leaves = makeLeaves(9)
  const BENT: Readonly<Record<string, readonly LeafRange[]>> = {
    'no leaf': [],
    'a range of nothing': [{ first: 2, count: 0 }],
    'a leaf twice': [
      { first: 2, count: 1 },
      { first: 2, count: 1 },
    ],
    'ranges that overlap': [
      { first: 2, count: 3 },
      { first: 4, count: 2 },
    ],
    'ranges that touch and are two': [
      { first: 0, count: 1 },
      { first: 1, count: 1 },
    ],
    'ranges out of order': [
      { first: 5, count: 1 },
      { first: 2, count: 1 },
    ],
    'a leaf past the end': [{ first: 9, count: 1 }],
    'a range past the end': [{ first: 8, count: 2 }],
  }
  for (const [name, known] of Object.entries(BENT)) {
    it(`refuses ${name}, whatever the siblings`, () => {
      for (let count = 0; count < 12; count++) {
        const siblings = new Array<Uint8Array>(count).fill(new Uint8Array(32))
        const leafHash = (leaf: number) => leaves[leaf] ?? new Uint8Array(32)
        assertRefused(() => computeRootFromSiblings({ leafCount: 9, known, leafHash, siblings }))
      }
    })
  }
})

function assertRefused(compute: () => unknown): void {
  assert.throws(compute, (error) => isArchiveError(error, 'CORE_MERKLE_PROOF_INVALID'))
}
