import {
  type ChallengeTerms,
  type ChunkStore,
  DEFAULT_SAMPLES,
  equalBytes,
  formatAddress,
  isArchiveError,
  makeChallengeAnswer,
  toHex,
} from '../../core/index.ts'
import {
  type ChallengeMessage,
  type ChallengeProofMessage,
  challengeCodec,
  challengeProofCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'
import type { WithheldChunks } from '../replication/withheld-chunks.ts'

export interface ProverOptions {
  /** 32-byte secret of the Massa key that this node speaks for. */
  readonly keySeed: Uint8Array
  /** 34 bytes, its address. */
  readonly node: Uint8Array
  /** Empty without a registry: challenges of one registry are worth nothing at another. */
  readonly registry: string
}

export interface ProverModules {
  readonly store: Pick<ChunkStore, 'identity' | 'findChunks' | 'readChunk'>
  readonly withheld: Pick<WithheldChunks, 'has'>
}

/**
 * Answers challenges of this node with leaves from disk, never from the cache, under its own key.
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

  /** `/challenge/1`. The whole chunk that is read for it costs the peer as what is sent. */
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
    const { store, withheld } = this.modules
    const { challengeId, chunkId } = message
    const isOurs = equalBytes(message.node, this.options.node)
    if (!isOurs || message.kind !== 'rehearsal' || message.issuedPeriod !== 0) return { status: 'refused', challengeId }
    const [place] = await store.findChunks(toHex(chunkId), 1)
    const chunk = place && (await store.readChunk(place.period, place.index))
    onRead?.(chunk?.length ?? 0)
    if (!chunk || withheld.has(place)) return { status: 'notHeld', challengeId }
    try {
      const { proof, signature } = makeChallengeAnswer(chunk, this.termsOf(message), this.options.keySeed)
      return { status: 'ok', challengeId, proof, signature }
    } catch (error) {
      // Damaged on disk: what reads it here says so, and others hold it.
      if (isArchiveError(error, 'CORE_PROOF_INVALID')) return { status: 'notHeld', challengeId }
      throw error
    }
  }

  private termsOf({ challengeId, node, chunkId, nonce, kind, issuedPeriod }: ChallengeMessage): ChallengeTerms {
    const { chainId } = this.modules.store.identity.network
    const nodeAddress = formatAddress(node)
    return {
      kind,
      samples: DEFAULT_SAMPLES,
      challenge: { chainId, contract: this.options.registry, challengeId, nodeAddress, chunkId, nonce, issuedPeriod },
    }
  }
}
