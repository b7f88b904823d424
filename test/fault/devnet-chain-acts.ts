import { slotIndex } from '../../core/index.ts'
import type { CheckedOperation, DevnetChain, DevnetChainOptions } from '../../devnet/node/index.ts'
import { ALICE, BOB, OPTIONS, sign, transfer } from '../devnet/node/chain/made-chain.ts'

/** Of every third slot each fourth buys rolls: three of them in a period, which all expire at the same one. */
const ROLL_SLOTS = 12
const ROLL_COUNTS = 3

/** The chain that is killed. */
export const KILLED_CHAIN: DevnetChainOptions = {
  ...OPTIONS,
  endorsements: 1,
  deltaF0: 80,
  missRate: 0.1,
  orphanRate: 0.1,
}

/** The one operation that is sent right after a slot, if there is one; no other has its id: it would be told of both at once. */
export function operationAfter(chain: DevnetChain): CheckedOperation | undefined {
  const index = slotIndex(chain.lastSlot)
  if (index % 3 !== 0) return undefined
  const rollCount = 1n + BigInt(Math.floor(index / ROLL_SLOTS) % ROLL_COUNTS)
  const body = index % 4 === 0 ? ({ kind: 'roll-buy', rollCount } as const) : transfer(BigInt(index))
  return chain.check(sign(chain, index % 2 === 0 ? ALICE : BOB, body))
}
