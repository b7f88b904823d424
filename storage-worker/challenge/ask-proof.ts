import { type ChallengeTerms, isArchiveError, parseAddress, verifyChallengeAnswer } from '../../core/index.ts'
import { challengeCodec, challengeProofCodec, MAX_ANSWER_MS, type Offence } from '../../protocol-handler/index.ts'
import type { Requester } from '../peers/peer-client.ts'
import type { ChallengeResult } from './challenge-history.ts'

export interface AskProofModules {
  readonly network: Requester
  readonly onOffence: (peer: string, offence: Offence) => void
}

const REASONS = {
  notHeld: 'the node says that it does not hold the chunk',
  refused: 'the node refuses the challenge',
  busy: 'the node is busy',
} as const

/** Has a peer show what a challenge asks for, and verifies it as the contract would. Never throws for what a peer does. */
export async function askForProof(
  peer: string,
  terms: ChallengeTerms & { readonly drawSignature?: Uint8Array | undefined },
  { network, onOffence }: AskProofModules,
): Promise<{ readonly result: ChallengeResult; readonly reason: string }> {
  const { challenge, kind } = terms
  const { challengeId, chunkId, nonce, issuedPeriod } = challenge
  const node = parseAddress(challenge.nodeAddress)
  const message = { kind, challengeId, node, chunkId, nonce, issuedPeriod, drawSignature: terms.drawSignature }
  try {
    const bytes = challengeCodec.encode(message)
    const limits = { maxAnswerBytes: challengeProofCodec.maxBytes, frames: 1, deadlineMs: MAX_ANSWER_MS }
    const [frame = new Uint8Array()] = await network.request(peer, 'challenge', { bytes, ...limits })
    const answer = challengeProofCodec.decode(frame)
    if (answer.challengeId !== challengeId) return { result: 'invalid', reason: 'the answer to another challenge' }
    if (answer.status !== 'ok') return { result: answer.status, reason: REASONS[answer.status] }
    verifyChallengeAnswer(answer, terms, node)
    return { result: 'valid', reason: '' }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    if (error.code === 'PROTOCOL_PEER_UNREACHABLE') return { result: 'noAnswer', reason: error.message }
    // A damaged disk shows wrong leaves, too: it is the success rate that tells, not the score of a peer.
    if (error.code !== 'CORE_PROOF_INVALID') onOffence(peer, 'reject')
    return { result: 'invalid', reason: error.message }
  }
}
