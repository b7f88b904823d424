import fc from 'fast-check'
import {
  computeChunkLeafHashes,
  computePathLength,
  computeProofText,
  computeSampleIndex,
  computeTreeLevels,
  concatBytes,
  encodeBase58Check,
  formatPublicKey,
  LEAF_SIZE_BYTES,
  pickPath,
  signText,
} from '../../core/index.ts'
import type { ProofArguments } from './challenge-steps.ts'
import type { User } from './registry-world.ts'

/*
 * Wrong proofs, and a few right ones. What changes the proof is done before signing: a liar signs his lie.
 */

/** Order of Ed25519's group. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const HEAD_BYTES = 36

const PROOF_KINDS = [
  'honest',
  'flip',
  'flip-twice',
  'truncate',
  'extra',
  'insert',
  'delete',
  'claim-length',
  'claim-leaf-count',
  'other-challenge',
  'other-chunk',
  'swap-samples',
  'sample-missing',
  'sample-more',
  'root-of-other-chunk',
] as const
const SIGNATURE_KINDS = [
  'other-key',
  'key-of-other',
  'signed-by-other',
  's-plus-l',
  'r-high-bit',
  'version',
  'signature-bit',
  'signature-short',
  'signature-long',
  'text-character',
  'blank',
  'colon-more',
  'no-colon',
  'leading-ones',
  'not-ascii',
  'over-256',
  'empty',
  'signed-before-change',
] as const
export type MutationKind = (typeof PROOF_KINDS)[number] | (typeof SIGNATURE_KINDS)[number]

export interface Mutation {
  readonly kind: MutationKind
  /** Which of the chunks and sample counts. */
  readonly target: number
  readonly a: number
  readonly b: number
  readonly bytes: Uint8Array
}

export function mutations(targets: number): fc.Arbitrary<Mutation> {
  return fc.record({
    // A wrong proof is the more interesting lie.
    kind: fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...PROOF_KINDS) }, fc.constantFrom(...SIGNATURE_KINDS)),
    target: fc.nat(targets - 1),
    a: fc.nat(),
    b: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  })
}

/** An open challenge whose honest proof is known. */
export interface Target {
  readonly node: User
  readonly stranger: User
  readonly chunk: Uint8Array
  readonly levels: readonly (readonly Uint8Array[])[]
  readonly seed: Uint8Array
  readonly samples: number
  readonly honest: Uint8Array
  /** Of the same chunk, under the seed of another challenge. */
  readonly ofOtherSeed: Uint8Array
  /** Of another chunk of the same length, under this seed. */
  readonly ofOtherChunk: Uint8Array
}

export function makeTarget(parts: Pick<Target, 'node' | 'stranger' | 'chunk' | 'seed' | 'samples'>): Target {
  const { chunk, seed, samples } = parts
  const otherChunk = chunk.map((byte) => byte ^ 1)
  const levels = computeTreeLevels(computeChunkLeafHashes(chunk))
  const otherSeed = seed.map((byte) => byte ^ 0x5a)
  return {
    ...parts,
    levels,
    honest: joinProof({ chunk, levels, seed }, samples),
    ofOtherSeed: joinProof({ chunk, levels, seed: otherSeed }, samples),
    ofOtherChunk: joinProof(
      { chunk: otherChunk, levels: computeTreeLevels(computeChunkLeafHashes(otherChunk)), seed },
      samples,
    ),
  }
}

type Kept = Pick<Target, 'chunk' | 'levels' | 'seed'>

/** As `computeStorageProof`, without hashing the chunk again. */
function joinProof(kept: Kept, samples: number): Uint8Array {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, kept.chunk.length)
  return concatBytes(head, ...(kept.levels.at(-1) ?? []), ...listSamples(kept, samples))
}

/** leaf || path of each sample. */
function listSamples({ chunk, levels, seed }: Kept, samples: number): Uint8Array[] {
  return Array.from({ length: samples }, (_, i) => {
    const index = computeSampleIndex(seed, i, levels[0]?.length ?? 1)
    const leaf = chunk.slice(index * LEAF_SIZE_BYTES, (index + 1) * LEAF_SIZE_BYTES)
    return concatBytes(leaf, ...pickPath(levels, index))
  })
}

export function mutate(mutation: Mutation, target: Target): ProofArguments {
  const proof = mutateProof(mutation, target)
  const signed = mutation.kind === 'signed-before-change' ? target.honest : proof
  return { proof, signature: mutateSignature(mutation, target, computeProofText(target.seed, signed)) }
}

function mutateProof({ kind, a, b, bytes }: Mutation, target: Target): Uint8Array {
  const { honest, samples } = target
  const at = a % honest.length
  switch (kind) {
    case 'flip':
    case 'signed-before-change':
      return flip(honest, at, b)
    case 'flip-twice':
      return flip(flip(honest, at, b), (a ^ b) % honest.length, a)
    case 'truncate':
      return honest.slice(0, at)
    case 'extra':
      return concatBytes(honest, bytes)
    case 'insert':
      return concatBytes(honest.slice(0, at), bytes, honest.slice(at))
    case 'delete':
      return concatBytes(honest.slice(0, at), honest.slice(at + bytes.length))
    case 'claim-length':
      return claimLength(honest, a % 3 === 0 ? b : target.chunk.length + (b % 5) - 2)
    case 'claim-leaf-count':
      return forge(target, 1 + (a % (2 * target.chunk.length)))
    case 'other-challenge':
      return target.ofOtherSeed
    case 'other-chunk':
      return target.ofOtherChunk
    case 'swap-samples':
      return swapSamples(target)
    case 'sample-missing':
      return joinProof(target, samples - 1)
    case 'sample-more':
      return joinProof(target, samples + 1)
    case 'root-of-other-chunk':
      return concatBytes(honest.slice(0, 4), target.ofOtherChunk.slice(4))
    default:
      return honest
  }
}

function flip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8))
  return flipped
}

function claimLength(proof: Uint8Array, byteLength: number): Uint8Array {
  const claimed = Uint8Array.from(proof)
  new DataView(claimed.buffer).setUint32(0, byteLength >>> 0)
  return claimed
}

/**
 * The proof of a chunk of another length, as long as it must be, made of what the prover kept of this one. A claim of
 * more than a chunk can have is made like any other.
 */
function forge({ chunk, levels, seed, samples }: Target, byteLength: number): Uint8Array {
  const leafCount = Math.ceil(byteLength / LEAF_SIZE_BYTES)
  const kept = Math.ceil(chunk.length / LEAF_SIZE_BYTES)
  const parts = [new Uint8Array(4), ...(levels.at(-1) ?? [])]
  new DataView((parts[0] ?? new Uint8Array(4)).buffer).setUint32(0, byteLength)
  for (let i = 0; i < samples; i++) {
    const index = computeSampleIndex(seed, i, leafCount)
    const leaf = new Uint8Array(Math.min(LEAF_SIZE_BYTES, byteLength - index * LEAF_SIZE_BYTES))
    const from = (index % kept) * LEAF_SIZE_BYTES
    leaf.set(chunk.subarray(from, Math.min(from + leaf.length, chunk.length)))
    const path = pickPath(levels, index % kept)
    const wanted = computePathLength(index, leafCount)
    parts.push(leaf, ...Array.from({ length: wanted }, (_, level) => path[level] ?? new Uint8Array(32)))
  }
  return concatBytes(...parts)
}

/** The samples in the order from the last to the first. */
function swapSamples(target: Target): Uint8Array {
  const head = target.honest.slice(0, HEAD_BYTES)
  return concatBytes(head, ...listSamples(target, target.samples).reverse())
}

function mutateSignature({ kind, a, b, bytes }: Mutation, target: Target, text: string): Uint8Array {
  const own = signText(target.node.seed, text)
  const others = kind.includes('other') ? signText(target.stranger.seed, text) : own
  const publicKey = kind === 'key-of-other' || kind === 'signed-by-other' ? others.publicKey : own.publicKey
  const signature = kind === 'other-key' || kind === 'signed-by-other' ? others.signature : own.signature
  const keyText = formatPublicKey(publicKey)
  const join = (value: Uint8Array) => `${keyText}:${encodeBase58Check(value)}`
  const honest = join(signature)
  const at = a % honest.length
  switch (kind) {
    case 's-plus-l':
      return ascii(join(addToS(signature)))
    case 'r-high-bit':
      return ascii(join(flip(signature, 32, 7)))
    case 'version':
      return ascii(join(concatBytes(Uint8Array.of(1 + (b % 255)), signature.slice(1))))
    case 'signature-bit':
      return ascii(join(flip(signature, a % signature.length, b)))
    case 'signature-short':
      return ascii(join(signature.slice(0, a % signature.length)))
    case 'signature-long':
      return ascii(join(concatBytes(signature, bytes)))
    case 'text-character':
      return ascii(honest.slice(0, at) + String.fromCharCode(33 + (b % 94)) + honest.slice(at + 1))
    case 'blank':
      return ascii(`${honest.slice(0, at)} ${honest.slice(at)}`)
    case 'colon-more':
      return ascii(`${honest.slice(0, at)}:${honest.slice(at)}`)
    case 'no-colon':
      return ascii(honest.replace(':', ''))
    case 'leading-ones':
      return ascii(honest.replace(':', `:${'1'.repeat(1 + (b % 4))}`))
    case 'not-ascii':
      return concatBytes(ascii(honest.slice(0, at)), Uint8Array.of(0x80 | b), ascii(honest.slice(at)))
    case 'over-256':
      return ascii(honest.padEnd(257, '1'))
    case 'empty':
      return new Uint8Array()
    default:
      return ascii(honest)
  }
}

/** The same signature with S + L: some libraries take it, the chain must not. */
function addToS(signature: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(signature)
  let s = L
  for (let i = 0; i < 32; i++) s += BigInt(signature[33 + i] ?? 0) << BigInt(8 * i)
  for (let i = 0; i < 32; i++) changed[33 + i] = Number((s >> BigInt(8 * i)) & 255n)
  return changed
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}
