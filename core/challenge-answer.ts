import { equalBytes } from './bytes.ts'
import { type Challenge, type ChallengeKind, computeChallengeSeed } from './challenge.ts'
import { computeChunkId } from './chunk.ts'
import { ArchiveError } from './errors.ts'
import { computeAddress } from './massa/address.ts'
import { type SignatureArgument, signText, verifyText } from './signed-text.ts'
import { computeProofText, computeStorageProof, verifyStorageProof } from './storage-proof.ts'

/** Everything that an answer depends on. */
export interface ChallengeTerms {
  readonly challenge: Challenge
  readonly kind: ChallengeKind
  /** k: as many as the chain recorded, `DEFAULT_SAMPLES` in a rehearsal. */
  readonly samples: number
}

/** What a challenged node shows: the bytes that `submitProof` takes. */
export interface ChallengeAnswer {
  /** See `computeStorageProof`. */
  readonly proof: Uint8Array
  /** By its Massa key, over `computeProofText`. */
  readonly signature: SignatureArgument
}

/**
 * Answers a challenge. Under a signature a wrong proof is a failed challenge, so nothing is signed that does not verify.
 *
 * @param chunk - what the disk has for the chunk id
 * @param keySeed - 32-byte secret of the Massa key of the challenged node
 * @throws ArchiveError CORE_PROOF_INVALID when these are not the bytes of the chunk id
 */
export function makeChallengeAnswer(chunk: Uint8Array, terms: ChallengeTerms, keySeed: Uint8Array): ChallengeAnswer {
  const { challenge, kind, samples } = terms
  if (!equalBytes(computeChunkId(chunk), challenge.chunkId)) {
    throw new ArchiveError('CORE_PROOF_INVALID', 'the bytes of the chunk do not hash to its id: nothing is signed')
  }
  const seed = computeChallengeSeed(challenge, kind)
  const proof = computeStorageProof(chunk, { seed, samples })
  return { proof, signature: signText(keySeed, computeProofText(seed, proof, kind)) }
}

/**
 * Refuses what the contract would: another key than the node's, another text, leaves that do not lead to the chunk id, or a
 * byte too many.
 *
 * @param address - 34 bytes, of the challenged node
 * @throws ArchiveError CORE_PROOF_INVALID
 */
export function verifyChallengeAnswer(
  { proof, signature }: ChallengeAnswer,
  { challenge, kind, samples }: ChallengeTerms,
  address: Uint8Array,
): void {
  if (!equalBytes(computeAddress(signature.publicKey), address)) {
    throw new ArchiveError('CORE_PROOF_INVALID', `the key is not that of ${challenge.nodeAddress}`)
  }
  const seed = computeChallengeSeed(challenge, kind)
  if (!verifyText(computeProofText(seed, proof, kind), signature)) {
    throw new ArchiveError('CORE_PROOF_INVALID', 'the signature is not of this proof for this challenge')
  }
  verifyStorageProof(proof, challenge.chunkId, { seed, samples })
}
