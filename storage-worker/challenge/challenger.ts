import { ArchiveError, type Challenge, type ChunkStore, type Clock, DEFAULT_SAMPLES, toHex } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { type AskProofModules, askForProof } from './ask-proof.ts'
import type { ChallengeEntry, ChallengeHistory } from './challenge-history.ts'
import { tellResult } from './tell-result.ts'

/** Challenges by hand are no draws, and their ids say so (docs/FORMAT.md, Challenge draw). */
export const BY_HAND = 'm-'
export const ID_BYTES = 16

export interface ChallengerOptions {
  /** Empty without a registry. */
  readonly registry: string
}

export interface ChallengerModules extends AskProofModules {
  readonly store: Pick<ChunkStore, 'identity'>
  readonly history: ChallengeHistory
  /** Peers that are connected and speak for this Massa address. */
  readonly findPeer: (address: string) => string | undefined
  readonly clock: Clock
  /** So many random bytes. */
  readonly random: (count: number) => Uint8Array
  readonly log: Logger
}

/** Challenges that this node issues off chain, and what became of them. */
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
    const { result, reason } = await askForProof(
      peer,
      { challenge, kind: 'rehearsal', samples: DEFAULT_SAMPLES },
      this.modules,
    )
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
    await tellResult(entry, history, log)
    return entry
  }
}
