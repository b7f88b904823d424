import assert from 'node:assert/strict'
import {
  type ChallengeTerms,
  computeChallengeSeed,
  computeChunkId,
  computeProofText,
  isArchiveError,
  makeChallengeAnswer,
  parseAddress,
  signText,
  verifyChallengeAnswer,
} from '../../core/index.ts'
import { addressOf, seedOf } from '../storage-worker/replication/made-nodes.ts'

const SEED = seedOf('prover')
const CHUNK = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7) % 251)
const TERMS: ChallengeTerms = {
  kind: 'challenge',
  samples: 2,
  challenge: {
    chainId: 77n,
    contract: 'AS12Z4zTFAaSoJtgbGdtqoAss9XF7JQ9EkS2b5xKX6Vmv8M3UJgdc',
    challengeId: 'm-1',
    nodeAddress: addressOf(SEED),
    chunkId: computeChunkId(CHUNK),
    nonce: 9n,
    issuedPeriod: 1000,
  },
}
const ADDRESS = parseAddress(TERMS.challenge.nodeAddress)

function refused(act: () => void): void {
  assert.throws(act, (error) => isArchiveError(error, 'CORE_PROOF_INVALID'))
}

describe('core/challenge-answer', () => {
  const answer = makeChallengeAnswer(CHUNK, TERMS, SEED)

  it('an answer from the bytes of the chunk is accepted, and none signs other bytes', () => {
    verifyChallengeAnswer(answer, TERMS, ADDRESS)
    const damaged = CHUNK.slice()
    damaged[4_999] = 1
    refused(() => makeChallengeAnswer(damaged, TERMS, SEED))
  })

  it('is worth nothing for another challenge, a rehearsal, other samples or another node', () => {
    const { challenge } = TERMS
    const others: ChallengeTerms[] = [
      { ...TERMS, kind: 'rehearsal' },
      { ...TERMS, samples: 3 },
      { ...TERMS, challenge: { ...challenge, contract: '' } },
      { ...TERMS, challenge: { ...challenge, challengeId: 'm-2' } },
      { ...TERMS, challenge: { ...challenge, nonce: 10n } },
      { ...TERMS, challenge: { ...challenge, issuedPeriod: 1001 } },
      { ...TERMS, challenge: { ...challenge, chunkId: computeChunkId(CHUNK.subarray(1)) } },
    ]
    for (const terms of others) refused(() => verifyChallengeAnswer(answer, terms, ADDRESS))
    refused(() => verifyChallengeAnswer(answer, TERMS, parseAddress(addressOf(seedOf('another')))))
    const foreign = makeChallengeAnswer(CHUNK, TERMS, seedOf('another'))
    refused(() => verifyChallengeAnswer(foreign, TERMS, ADDRESS))
  })

  it('refuses a proof of which a byte differs, lacks or is too many, whoever signed it', () => {
    for (const at of [0, 4, 36, 1_100, answer.proof.length - 1]) {
      const proof = answer.proof.slice()
      proof[at] = (proof[at] ?? 0) ^ 1
      refused(() => verifyChallengeAnswer({ ...answer, proof }, TERMS, ADDRESS))
      refused(() => verifyChallengeAnswer(resign(proof), TERMS, ADDRESS))
    }
    refused(() => verifyChallengeAnswer(resign(answer.proof.subarray(0, -1)), TERMS, ADDRESS))
    refused(() => verifyChallengeAnswer(resign(Uint8Array.of(...answer.proof, 0)), TERMS, ADDRESS))
  })

  it('refuses a signature over another text', () => {
    refused(() => verifyChallengeAnswer({ ...answer, signature: signText(SEED, 'proof') }, TERMS, ADDRESS))
  })

  function resign(proof: Uint8Array) {
    return { proof, signature: signText(SEED, computeProofText(computeChallengeSeed(TERMS.challenge), proof)) }
  }
})
