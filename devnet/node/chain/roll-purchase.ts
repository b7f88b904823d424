import { computeOperationHash, encodeOperationContent } from '../../../core/index.ts'
import { ROLL_PRICE_NANO_MAS } from '../../engine/index.ts'
import type { Staker } from './chain-options.ts'
import type { SentOperation } from './operation-pool.ts'

/** What a staker has, and what an operation must say. */
export interface RollPurchase {
  readonly held: bigint
  /** nanoMAS */
  readonly coins: bigint
  readonly feeNanoMas: bigint
  readonly expirePeriod: number
  readonly chainId: bigint
}

/** Buys what a staker has less than at the beginning, as far as his coins go; undefined when that is nothing. */
export function signRollPurchase({ key, rolls }: Staker, purchase: RollPurchase): SentOperation | undefined {
  const { held, coins, feeNanoMas, expirePeriod, chainId } = purchase
  const payable: bigint = (coins - feeNanoMas) / ROLL_PRICE_NANO_MAS
  const missing: bigint = rolls - held
  if (missing <= 0n || payable <= 0n) return undefined
  const rollCount = payable < missing ? payable : missing
  const body = { kind: 'roll-buy', rollCount } as const
  const content = encodeOperationContent({ feeNanoMas, expirePeriod: BigInt(expirePeriod), body })
  const signature = key.sign(computeOperationHash(chainId, key.publicKey, content))
  return { publicKey: key.publicKey, signature, content }
}
