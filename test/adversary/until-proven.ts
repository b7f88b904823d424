import { makeChallengeAnswer } from '../../core/index.ts'
import { readChunk } from './history.ts'
import type { Habits, StorageNode } from './storage-node.ts'

/** Keeps everything until it has answered its first audit on chain, and nothing from then on. */
export function keepUntilProven(): Pick<Habits, 'keeps' | 'answer'> {
  let provenIn: number | undefined
  return {
    keeps: () => provenIn === undefined,
    answer: (asked, node: StorageNode) => {
      const { challenge, kind, samples, chunk } = asked
      if (kind === 'challenge') provenIn ??= challenge.issuedPeriod
      if (!chunk || (provenIn !== undefined && challenge.issuedPeriod !== provenIn)) return undefined
      return makeChallengeAnswer(readChunk(chunk), { challenge, kind, samples }, node.party.seed)
    },
  }
}
