import {
  type ChallengeAnswer,
  type ChallengeTerms,
  type ChunkStore,
  type ErrorCode,
  isArchiveError,
  makeChallengeAnswer,
  toHex,
} from '../../core/index.ts'
import type { WithheldChunks } from '../replication/withheld-chunks.ts'

/** Of one chunk, or of what the disk gives no more: what else is asked for can still be shown. */
const DAMAGED: readonly ErrorCode[] = ['STORE_VALUE_CORRUPT', 'STORE_READ_FAILED', 'CORE_PROOF_INVALID']

export interface DiskProofsModules {
  readonly store: Pick<ChunkStore, 'identity' | 'findChunks' | 'readChunk'>
  readonly withheld: Pick<WithheldChunks, 'has'>
}

/** Proofs with leaves from disk, never from the cache. */
export class DiskProofs {
  private readonly keySeed: Uint8Array
  private readonly modules: DiskProofsModules

  /** @param keySeed - 32-byte secret of the Massa key that signs */
  constructor(keySeed: Uint8Array, modules: DiskProofsModules) {
    this.keySeed = keySeed
    this.modules = modules
  }

  /**
   * @param onRead - told how many bytes were read for it
   * @returns undefined when the chunk is not held, is let go just now, or is damaged or unreadable on disk: what
   *   reads it there says so
   */
  async make(terms: ChallengeTerms, onRead?: (bytes: number) => void): Promise<ChallengeAnswer | undefined> {
    const { store, withheld } = this.modules
    try {
      const [place] = await store.findChunks(toHex(terms.challenge.chunkId), 1)
      const chunk = place && (await store.readChunk(place.period, place.index))
      onRead?.(chunk?.length ?? 0)
      if (!chunk || withheld.has(place)) return undefined
      return makeChallengeAnswer(chunk, terms, this.keySeed)
    } catch (error) {
      if (isArchiveError(error) && DAMAGED.includes(error.code)) return undefined
      throw error
    }
  }
}
