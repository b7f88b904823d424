import type { ContractEngine } from '../../engine/index.ts'

/** BLOCK_REWARD: new coins of every block, nanoMAS. */
const BLOCK_REWARD_NANO_MAS = 400_010_000n
/** Three for a block and three for each endorsement that it may have (massa-execution-worker, execution.rs). */
const PARTS = 3n * (1n + 16n)

/** Who gets coins for a block, by address. */
export interface Rewarded {
  readonly producer: string
  /** One for each endorsement in the block; an address may come several times. */
  readonly endorsers: readonly string[]
  /** Maker of the endorsed block: the one before in the thread. */
  readonly endorsed: string
}

/**
 * Gives out the reward of a block and the fees of its operations, as a node does: for each endorsement a part to who
 * signed it, one to the maker of the endorsed block and one to the producer; three parts and the rest to the producer.
 * Parts of endorsements that are missing go to nobody.
 */
export function payRewards(engine: ContractEngine, { producer, endorsers, endorsed }: Rewarded, fees: bigint): void {
  const credits = BLOCK_REWARD_NANO_MAS + fees
  const part = credits / PARTS
  for (const endorser of endorsers) {
    engine.credit(endorser, part)
    engine.credit(endorsed, part)
  }
  engine.credit(producer, part * BigInt(3 + endorsers.length) + (credits % PARTS))
}
