import assert from 'node:assert/strict'
import type { ChallengeEndEvent } from '../../../storage-worker/challenge/open-challenges.ts'
import type { ToldEvent } from '../../../storage-worker/challenge/registry-log.ts'

export const NETWORK = { chainId: 77n, genesisTimestampMs: 0n }
export const CHUNK = 'ab'.repeat(32)

/** What a registry log tells, as the test says: challenges of one node, in slots of thread 0. */
export class HeardLog {
  period = 10
  finalPeriod = 0
  private tell: (told: ToldEvent) => void = () => assert.fail('nobody listens')

  listen(listener: (told: ToldEvent) => void): () => void {
    this.tell = listener
    return () => {}
  }

  async look(): Promise<void> {}

  issue(challengeId: string, period: number, isFinal = false): void {
    const event = { name: 'CHALLENGE_ISSUED', challengeId, nodeAddress: 'AU1', chunkId: CHUNK } as const
    this.tell({ slot: { period, thread: 0 }, event, isFinal })
  }

  end(
    challengeId: string,
    period: number,
    name: Exclude<ChallengeEndEvent['name'], 'CHALLENGE_FAILED'>,
    isFinal = false,
  ): void {
    this.tell({ slot: { period, thread: 0 }, event: { name, challengeId, nodeAddress: 'AU1' }, isFinal })
  }
}
