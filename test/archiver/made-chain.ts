import assert from 'node:assert/strict'
import { type MadeBlock, type MadeChain, makeChain } from '../../devnet/index.ts'

export const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }

export function chainOf(
  seed: string,
  periods: number,
  options: Partial<Parameters<typeof makeChain>[0]> = {},
): MadeChain {
  return makeChain({ seed, ...NETWORK, periods, endorsements: 0, ...options })
}

/** True for what is of this slot. */
export function isSlotOf({ period, thread }: { period: number; thread: number }) {
  return ({ slot }: { slot: { period: number; thread: number } }) => slot.period === period && slot.thread === thread
}

export function blockAt(chain: MadeChain, period: number, thread: number): MadeBlock {
  const block = chain.blockAt(period, thread)
  assert.ok(block, `no block at (${period}, ${thread})`)
  return block
}
