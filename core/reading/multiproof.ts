import { ArchiveError } from '../errors.ts'
import { computeNodeHash } from '../merkle.ts'

/** Leaves that stand one behind the other. */
export interface LeafRange {
  readonly first: number
  /** At least 1. */
  readonly count: number
}

/**
 * What somebody who knows some leaves of a tree (RFC 6962) lacks to compute its root: the hashes of the largest subtrees
 * without a known leaf, from the left to the right.
 *
 * @param levels - as `computeTreeLevels` gives them
 * @param known - ascending, not overlapping, at least one
 */
export function pickSiblings(levels: readonly (readonly Uint8Array[])[], known: readonly LeafRange[]): Uint8Array[] {
  const leaves = new KnownLeaves(known)
  const siblings: Uint8Array[] = []
  const descend = (level: number, index: number): void => {
    const hash = levels[level]?.[index]
    if (!hash) return
    const leafEnd = (index + 1) * 2 ** level
    if (!leaves.hasBefore(leafEnd)) siblings.push(hash)
    else if (level === 0) leaves.take()
    else {
      descend(level - 1, 2 * index)
      descend(level - 1, 2 * index + 1)
    }
  }
  descend(levels.length - 1, 0)
  return siblings
}

/** What `computeRootFromSiblings` puts together. */
export interface PartialTree {
  readonly leafCount: number
  /** Ascending, not overlapping. */
  readonly known: readonly LeafRange[]
  /** Hash of a known leaf; asked for once each, ascending. */
  readonly leafHash: (leaf: number) => Uint8Array
  /** 32 bytes each, as `pickSiblings` gives them. */
  readonly siblings: readonly Uint8Array[]
}

/**
 * The root that known leaves and siblings lead to.
 *
 * @throws ArchiveError CORE_MERKLE_PROOF_INVALID when leaves are none, out of order, overlapping or outside of the tree, or the
 *   siblings are not exactly as many as they leave open
 */
export function computeRootFromSiblings({ leafCount, known, leafHash, siblings }: PartialTree): Uint8Array {
  checkRanges(known, leafCount)
  const leaves = new KnownLeaves(known)
  let used = 0
  const rootOf = (from: number, to: number): Uint8Array => {
    if (!leaves.hasBefore(to)) {
      const sibling = siblings[used++]
      if (!sibling) throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', `${siblings.length} siblings are too few`)
      return sibling
    }
    if (to - from === 1) return leafHash(leaves.take())
    const middle = from + largestPowerBelow(to - from)
    const left = rootOf(from, middle)
    return computeNodeHash(left, rootOf(middle, to))
  }
  const root = rootOf(0, leafCount)
  if (used !== siblings.length) {
    throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', `${siblings.length} siblings, ${used} are needed`)
  }
  return root
}

/** Takes the leaves of ranges one after the other. */
class KnownLeaves {
  private readonly ranges: readonly LeafRange[]
  private range = 0
  private taken = 0

  constructor(ranges: readonly LeafRange[]) {
    this.ranges = ranges
  }

  /** Whether a leaf that was not taken stands before `end`. */
  hasBefore(end: number): boolean {
    const range = this.ranges[this.range]
    return range !== undefined && range.first + this.taken < end
  }

  take(): number {
    const { first = 0, count = 0 } = this.ranges[this.range] ?? {}
    const leaf = first + this.taken++
    if (this.taken === count) {
      this.range++
      this.taken = 0
    }
    return leaf
  }
}

function checkRanges(known: readonly LeafRange[], leafCount: number): void {
  let end = 0
  if (known.length === 0) throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', 'no leaf is given')
  for (const { first, count } of known) {
    // Ranges that touch are one: otherwise there were many proofs of the same leaves.
    const isApart = first > end || (first === 0 && end === 0)
    if (!isApart || count < 1) throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', 'leaves overlap or are out of order')
    end = first + count
  }
  if (end > leafCount) throw new ArchiveError('CORE_MERKLE_PROOF_INVALID', `leaf ${end - 1} of ${leafCount}`)
}

/** The largest power of two below n, n > 1. */
function largestPowerBelow(n: number): number {
  let power = 1
  while (2 * power < n) power *= 2
  return power
}
