import {
  type ChallengeTerms,
  DEFAULT_SAMPLES,
  equalBytes,
  formatAddress,
  fromHex,
  type RegistryChallenge,
} from '../../core/index.ts'
import {
  type ChallengeMessage,
  type ChallengeProofMessage,
  challengeCodec,
  challengeProofCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'
import type { DiskProofs } from './disk-proofs.ts'
import type { DrawnChallenge } from './draw-signatures.ts'

export interface ProverOptions {
  readonly chainId: bigint
  /** 34 bytes, address of the Massa key that this node speaks for. */
  readonly node: Uint8Array
  /** Empty without a registry: challenges of one registry are worth nothing at another. */
  readonly registry: string
}

export interface ProverModules {
  readonly proofs: Pick<DiskProofs, 'make'>
  /** The record of an open challenge of this node on chain; absent: this node does not watch the chain. */
  readonly findOpen: ((challengeId: string) => Promise<RegistryChallenge | undefined>) | undefined
  /** A challenge on chain came with what it was drawn by, whoever sent it. */
  readonly onDrawn: (drawn: DrawnChallenge) => void
}

/**
 * Answers challenges of this node by `/challenge/1`.
 *
 * What it signs for anybody who asks are rehearsals: they are worth nothing on chain. A challenge that the chain does not
 * know is refused, since its proof could be shown for one that somebody issues later.
 */
export class Prover {
  private readonly options: ProverOptions
  private readonly modules: ProverModules

  constructor(options: ProverOptions, modules: ProverModules) {
    this.options = options
    this.modules = modules
  }

  /** The whole chunk that is read for an answer costs the peer as what is sent. */
  get service(): StreamService<ChallengeMessage> {
    return {
      request: challengeCodec,
      priorityOf: () => 'challenge',
      answer: async (message, _, onRead) => [challengeProofCodec.encode(await this.answer(message, onRead))],
      refuse: ({ challengeId }, status) => [challengeProofCodec.encode({ status, challengeId })],
    }
  }

  private async answer(
    message: ChallengeMessage,
    onRead: ((bytes: number) => void) | undefined,
  ): Promise<ChallengeProofMessage> {
    const { challengeId } = message
    const terms = await this.findTerms(message)
    if (!terms) return { status: 'refused', challengeId }
    const answer = await this.modules.proofs.make(terms, onRead)
    return answer ? { status: 'ok', challengeId, ...answer } : { status: 'notHeld', challengeId }
  }

  /** Undefined for what is not to be signed. */
  private async findTerms(message: ChallengeMessage): Promise<ChallengeTerms | undefined> {
    const { kind, challengeId, chunkId, nonce, issuedPeriod } = message
    const { chainId, registry, node } = this.options
    if (!equalBytes(message.node, node)) return undefined
    const challenge = { chainId, contract: registry, challengeId, nodeAddress: formatAddress(node), chunkId }
    if (kind === 'rehearsal') {
      if (issuedPeriod !== 0) return undefined
      return { kind, samples: DEFAULT_SAMPLES, challenge: { ...challenge, nonce, issuedPeriod } }
    }
    const record = await this.modules.findOpen?.(challengeId)
    if (!record || !equalBytes(fromHex(record.chunkId), chunkId)) return undefined
    if (record.nonce !== nonce || record.issuedPeriod !== BigInt(issuedPeriod)) return undefined
    const { drawSignature: signature } = message
    if (signature) this.modules.onDrawn({ challengeId, issuedPeriod, signature })
    return { kind, samples: record.samples, challenge: { ...challenge, nonce, issuedPeriod } }
  }
}
