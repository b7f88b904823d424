import fc from 'fast-check'
import { computePathLength, concatBytes, type Evidence, encodeEvidence } from '../../core/index.ts'

/*
 * Wrong evidences, and a few right ones: single bits, and fields and paths taken from elsewhere.
 */

const KINDS = [
  'honest',
  'flip',
  'flip-twice',
  'truncate',
  'extra',
  'delete',
  'era',
  'period',
  'bitmap',
  'chunk-count',
  'chunk-index',
  'count-and-index',
  'chunk-path',
  'period-path',
  'placement-path',
  'placement-era',
  'other-era',
  'other-placement',
  'holder-missing',
  'holder-more',
  'holders-swapped',
  'holders-none',
  'other-chunk',
  'other-node',
  'second-holder',
] as const
type MutationKind = (typeof KINDS)[number]

export interface EvidenceMutation {
  readonly kind: MutationKind
  /** Which of the eras in which the challenge is issued. */
  readonly when: number
  readonly a: number
  readonly b: number
  readonly bytes: Uint8Array
}

export function evidenceMutations(moments: number): fc.Arbitrary<EvidenceMutation> {
  return fc.record({
    kind: fc.constantFrom(...KINDS),
    // The first is the one in which honest evidence counts.
    when: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(moments - 1)),
    a: fc.nat(),
    b: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  })
}

const BIG = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 127n, 128n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n] as const
const COUNTS = [0, 1, 2, 10, 11, 12, 16, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1] as const

/** @param foreign - evidence as good as the first, about another era and placement */
export function mutateEvidence(mutation: EvidenceMutation, honest: Evidence, foreign: Evidence): Uint8Array {
  const { kind, a, b, bytes } = mutation
  const encoded = encodeEvidence(honest)
  const at = a % encoded.length
  switch (kind) {
    case 'flip':
      return flip(encoded, at, b)
    case 'flip-twice':
      return flip(flip(encoded, at, b), b % encoded.length, a)
    case 'truncate':
      return encoded.slice(0, at)
    case 'extra':
      return concatBytes(encoded, bytes)
    case 'delete':
      return concatBytes(encoded.slice(0, at), encoded.slice(at + bytes.length))
    default:
      return encodeEvidence({ ...honest, ...changeFields(mutation, honest, foreign) })
  }
}

function changeFields({ kind, a, b }: EvidenceMutation, honest: Evidence, foreign: Evidence): Partial<Evidence> {
  const big = BIG[a % BIG.length] ?? 0n
  const count = COUNTS[a % COUNTS.length] ?? 0
  switch (kind) {
    case 'era':
      return { era: big }
    case 'period':
      return { period: b % 2 === 0 ? big : honest.era * 128n + BigInt(b % 130) }
    case 'bitmap':
      return { bitmap: b >>> 0 }
    case 'chunk-count':
      return { chunkCount: count }
    case 'chunk-index':
      return { chunkIndex: a % 14 }
    case 'count-and-index':
      return resize(honest, count, b)
    case 'chunk-path':
      return { chunkPath: changePath(honest.chunkPath, a, b) }
    case 'period-path':
      return { periodPath: changePath(honest.periodPath, a, b) }
    case 'placement-path':
      return { placementPath: changePath(honest.placementPath, a, b) }
    case 'placement-era':
      return { placementEra: big }
    case 'other-era':
      return { era: foreign.era, period: foreign.era * 128n + (honest.period % 128n) }
    case 'other-placement': {
      const { placementEra, holders, placementPath } = foreign
      return { placementEra, holders, placementPath }
    }
    case 'holder-missing':
      return { holders: honest.holders.slice(1) }
    case 'holder-more':
      return { holders: [...honest.holders, ...honest.holders.slice(0, 1 + (a % 200))] }
    case 'holders-swapped':
      return { holders: [...honest.holders].reverse() }
    case 'holders-none':
      return { holders: [] }
    default:
      return {}
  }
}

/** Another count and index with a path of the length that they demand. */
function resize(honest: Evidence, count: number, b: number): Partial<Evidence> {
  const chunkCount = Math.max(1, count)
  const chunkIndex = b % 3 === 0 ? chunkCount - 1 : b % chunkCount
  const length = computePathLength(chunkIndex, chunkCount)
  const chunkPath = Array.from({ length }, (_, i) => honest.chunkPath[i] ?? new Uint8Array(32))
  return { chunkCount, chunkIndex, chunkPath }
}

/** One hash flipped, gone, twice, or two in the wrong order. */
function changePath(path: readonly Uint8Array[], a: number, b: number): readonly Uint8Array[] {
  const at = a % path.length
  const one = path[at] ?? new Uint8Array(32)
  if (b % 4 === 0) return path.toSpliced(at, 1)
  if (b % 4 === 1) return path.toSpliced(at, 0, one)
  if (b % 4 === 2) return path.toReversed()
  return path.with(at, flip(one, b % 32, a))
}

function flip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8))
  return flipped
}
