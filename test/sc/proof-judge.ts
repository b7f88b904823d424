import {
  computeAddress,
  computePathLength,
  computeProofText,
  computeSampleIndex,
  type EvidenceClaim,
  type EvidenceFault,
  formatAddress,
  isArchiveError,
  LEAF_SIZE_BYTES,
  parseSignatureArgument,
  type SampleOrder,
  verifyEvidence,
  verifyStorageProof,
  verifyText,
} from '../../core/index.ts'
import type { ProofArguments } from './challenge-steps.ts'

/*
 * What `core` makes of a proof or an evidence, in the words of the contract.
 */

const HEAD_BYTES = 36
const MAX_CHUNK_BYTES = 1_048_576

export type ProofVerdict =
  | 'passed'
  | 'failed'
  | 'REGISTRY_SIGNATURE_INVALID'
  | 'REGISTRY_KEY_MISMATCH'
  | 'REGISTRY_PROOF_SHAPE'

export function judgeProof(
  { proof, signature }: ProofArguments,
  about: SampleOrder & { readonly chunkId: Uint8Array; readonly nodeAddress: string },
): ProofVerdict {
  const signer = findSigner(signature, computeProofText(about.seed, proof))
  if (signer === undefined) return 'REGISTRY_SIGNATURE_INVALID'
  if (signer !== about.nodeAddress) return 'REGISTRY_KEY_MISMATCH'
  if (isAccepted(proof, about.chunkId, about)) return 'passed'
  return hasDemandedLength(proof, about) ? 'failed' : 'REGISTRY_PROOF_SHAPE'
}

function isAccepted(proof: Uint8Array, chunkId: Uint8Array, order: SampleOrder): boolean {
  try {
    verifyStorageProof(proof, chunkId, order)
    return true
  } catch (error) {
    if (isArchiveError(error, 'CORE_PROOF_INVALID')) return false
    throw error
  }
}

/** Address of the key, when the signature holds. */
function findSigner(signature: Uint8Array, text: string): string | undefined {
  try {
    const argument = parseSignatureArgument(signature)
    return verifyText(text, argument) ? formatAddress(computeAddress(argument.publicKey)) : undefined
  } catch (error) {
    if (isArchiveError(error, 'CORE_SIGNATURE_INVALID')) return undefined
    throw error
  }
}

/** Whether a proof is as long as its own byteLength makes it. */
function hasDemandedLength(proof: Uint8Array, { seed, samples }: SampleOrder): boolean {
  if (proof.length < HEAD_BYTES) return false
  const byteLength = new DataView(proof.buffer, proof.byteOffset).getUint32(0)
  if (byteLength < 1 || byteLength > MAX_CHUNK_BYTES) return false
  const leafCount = Math.ceil(byteLength / LEAF_SIZE_BYTES)
  let length = HEAD_BYTES
  for (let i = 0; i < samples; i++) {
    const index = computeSampleIndex(seed, i, leafCount)
    length += Math.min(LEAF_SIZE_BYTES, byteLength - index * LEAF_SIZE_BYTES)
    length += 32 * computePathLength(index, leafCount)
  }
  return proof.length === length
}

const FAULT_CODES: Readonly<Record<EvidenceFault, string>> = {
  malformed: 'REGISTRY_EVIDENCE_INVALID',
  'era-unknown': 'REGISTRY_ERA_UNKNOWN',
  'placement-age': 'REGISTRY_PLACEMENT_AGE',
  'not-holder': 'REGISTRY_NOT_HOLDER',
}

/** `accepted`, or the contract's code. */
export function judgeEvidence(evidence: Uint8Array, claim: EvidenceClaim): string {
  try {
    verifyEvidence(evidence, claim)
    return 'accepted'
  } catch (error) {
    if (!isArchiveError(error, 'CORE_EVIDENCE_INVALID')) throw error
    return FAULT_CODES[error.context.fault as EvidenceFault]
  }
}
