import {
  ArchiveError,
  type ChallengeAnswer,
  type ChallengeTerms,
  computeChallengeSeed,
  computeProofText,
  computeSampleIndex,
  computeStorageProof,
  equalBytes,
  LEAF_SIZE_BYTES,
  makeChallengeAnswer,
  signText,
} from '../../../core/index.ts'
import { noise } from '../synthetic-period.ts'

/** What its disk gives a node for a chunk; of `damaged` it says so, of `flipped` it does not. */
export const DISKS = ['whole', 'damaged', 'flipped', 'missing'] as const
export type Disk = (typeof DISKS)[number]

/** What a node shows that has all chunks, and no wish to show them. */
export const FORGERIES = ['forged leaf', 'other leaves', 'older answer', 'foreign key', 'garbage'] as const
export type Forgery = (typeof FORGERIES)[number]

/** @throws ArchiveError STORE_VALUE_CORRUPT as a store does */
export function readFrom(disk: Disk, chunk: Uint8Array | undefined): Uint8Array | undefined {
  if (disk === 'damaged') throw new ArchiveError('STORE_VALUE_CORRUPT', 'made')
  if (disk === 'missing' || chunk === undefined) return undefined
  return disk === 'whole' ? chunk : flipped(chunk, chunk.length - 1)
}

/** A proof that is none: never the one that an honest node shows. */
export function forge(
  forgery: Forgery,
  keySeed: Uint8Array,
  order: { readonly chunk: Uint8Array; readonly terms: ChallengeTerms },
): ChallengeAnswer {
  const { chunk, terms } = order
  const { challenge, samples, kind } = terms
  const seed = computeChallengeSeed(challenge, kind)
  const signed = (proof: Uint8Array): ChallengeAnswer => ({
    proof,
    signature: signText(keySeed, computeProofText(seed, proof, kind)),
  })
  switch (forgery) {
    case 'forged leaf': {
      const leaf = computeSampleIndex(seed, 0, Math.ceil(chunk.length / LEAF_SIZE_BYTES))
      return signed(computeStorageProof(flipped(chunk, leaf * LEAF_SIZE_BYTES), { seed, samples }))
    }
    case 'other leaves': {
      const honest = computeStorageProof(chunk, { seed, samples })
      for (let other = 1n; ; other++) {
        const otherSeed = computeChallengeSeed({ ...challenge, nonce: challenge.nonce + other }, kind)
        const proof = computeStorageProof(chunk, { seed: otherSeed, samples })
        if (!equalBytes(proof, honest)) return signed(proof)
      }
    }
    case 'older answer':
      return makeChallengeAnswer(chunk, { ...terms, challenge: { ...challenge, nonce: challenge.nonce + 1n } }, keySeed)
    case 'foreign key':
      return makeChallengeAnswer(chunk, terms, noise('foreign key', 32))
    case 'garbage':
      return signed(noise(challenge.challengeId, 300))
  }
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
}
