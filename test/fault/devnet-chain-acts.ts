import { slotIndex } from '../../core/index.ts'
import type { CheckedOperation, DevnetChain, DevnetChainOptions } from '../../devnet/node/index.ts'
import { ALICE, BOB, OPTIONS, sign, transfer } from '../devnet/node/chain/made-chain.ts'

/** The chain that is killed. */
export const KILLED_CHAIN: DevnetChainOptions = {
  ...OPTIONS,
  endorsements: 1,
  deltaF0: 80,
  missRate: 0.1,
  orphanRate: 0.1,
}

/** The one operation that is sent right after a slot, if there is one. */
export function operationAfter(chain: DevnetChain): CheckedOperation | undefined {
  const index = slotIndex(chain.lastSlot)
  if (index % 3 !== 0) return undefined
  const body = index % 4 === 0 ? ({ kind: 'roll-buy', rollCount: 1n } as const) : transfer(BigInt(index))
  return chain.check(sign(chain, index % 2 === 0 ? ALICE : BOB, body))
}
