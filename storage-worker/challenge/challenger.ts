import {
  ArchiveError,
  type Challenge,
  type ChallengeTerms,
  type ChunkStore,
  type Clock,
  DEFAULT_SAMPLES,
  isArchiveError,
  parseAddress,
  toHex,
  verifyChallengeAnswer,
} from '../../core/index.ts'
import { challengeCodec, challengeProofCodec, MAX_ANSWER_MS, type Offence } from '../../protocol-handler/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Requester } from '../peers/peer-client.ts'
import type { ChallengeEntry, ChallengeHistory, ChallengeResult } from './challenge-history.ts'

/** Challenges by hand are no draws, and their ids say so (docs/FORMAT.md, Challenge draw). */
const BY_HAND = 'm-'
const ID_BYTES = 16

export interface ChallengerOptions {
  /** Empty without a registry. */
  readonly registry: string
}

export interface ChallengerModules {
  readonly network: Requester
  readonly store: Pick<ChunkStore, 'identity'>
  readonly history: ChallengeHistory
  /** Peers that are connected and speak for this Massa address. */
  readonly findPeer: (address: string) => string | undefined
  readonly onOffence: (peer: string, offence: Offence) => void
  readonly clock: Clock
  /** So many random bytes. */
  readonly random: (count: number) => Uint8Array
  readonly log: Logger
}

/** Challenges that this node issues, and what became of them. */
export class Challenger {
  private readonly options: ChallengerOptions
  private readonly modules: ChallengerModules

  constructor(options: ChallengerOptions, modules: ChallengerModules) {
    this.options = options
    this.modules = modules
  }

  /**
   * Challenges a connected node for a chunk without the chain: what it shows is verified as the contract would.
   *
   * @param node - Massa address
   * @param chunkId - 32 bytes
   * @throws ArchiveError API_PEER_UNCONNECTED; of the store, when it could not be noted
   */
  async rehearse(node: string, chunkId: Uint8Array): Promise<ChallengeEntry> {
    const { store, findPeer, random, clock, log, history } = this.modules
    const peer = findPeer(node)
    if (peer === undefined) {
      throw new ArchiveError('API_PEER_UNCONNECTED', `no connected sidecar speaks for ${node}`, { address: node })
    }
    const challenge: Challenge = {
      chainId: store.identity.network.chainId,
      contract: this.options.registry,
      challengeId: BY_HAND + toHex(random(ID_BYTES)),
      nodeAddress: node,
      chunkId,
      nonce: new DataView(random(8).buffer).getBigUint64(0),
      issuedPeriod: 0,
    }
    const chunk = toHex(chunkId)
    const issuedAtMs = clock.nowMs()
    const beganMs = clock.monotonicMs()
    log.info({ node, chunk }, 'challenge issued')
    const { result, reason } = await this.ask(peer, { challenge, kind: 'rehearsal', samples: DEFAULT_SAMPLES })
    const entry: ChallengeEntry = {
      challengeId: challenge.challengeId,
      kind: 'rehearsal',
      node,
      chunkId: chunk,
      nonce: challenge.nonce.toString(),
      issuedAtMs,
      durationMs: Math.max(0, Math.round(clock.monotonicMs() - beganMs)),
      result,
      reason,
    }
    await history.append(entry)
    const { passed, total } = await history.rateOf(node)
    if (result === 'valid' || result === 'invalid') log.info({ node, result }, 'proof received')
    else log.warn({ node, chunk, result }, 'no proof received')
    if (result !== 'busy') log.info({ node, passed, total }, 'success rate updated')
    return entry
  }

  private async ask(peer: string, terms: ChallengeTerms): Promise<{ result: ChallengeResult; reason: string }> {
    const { network, onOffence } = this.modules
    const { challenge, kind } = terms
    const { challengeId, chunkId, nonce, issuedPeriod } = challenge
    const node = parseAddress(challenge.nodeAddress)
    const message = { kind, challengeId, node, chunkId, nonce, issuedPeriod, drawSignature: undefined }
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
}

const REASONS = {
  notHeld: 'the node says that it does not hold the chunk',
  refused: 'the node refuses the challenge',
  busy: 'the node is busy',
} as const
