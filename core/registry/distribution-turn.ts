import { sha256 } from '#crypto'
import { compareBytes } from '../bytes.ts'
import { ByteWriter } from '../codec.ts'
import type { Period } from '../units.ts'

/** An operation is in a block 5 to 31 s after it was sent: whoever comes next sees it there, and pays nothing. */
const PERIODS_PER_RANK = 2
const PREFIX = 'massa-storage/distribute/1:'

/**
 * The period that `distributeRewards` is to be called for: the newest multiple of `everyPeriods` that is over.
 *
 * @param period - of the chain
 * @returns undefined before the first one
 */
export function computeDuePeriod(period: Period, everyPeriods: number): Period | undefined {
  const due = Math.floor((period - 1) / everyPeriods) * everyPeriods
  return due > 0 ? due : undefined
}

/**
 * First period in which a node distributes, if nobody has by then: nodes go one after the other, in an order that is
 * another one for each distribution, so that fees are not paid twice.
 *
 * @param duePeriod - see `computeDuePeriod`
 * @param addresses - Massa addresses of the nodes of the placement in force, in any order
 * @returns undefined for whoever is not among them: it has no turn
 */
export function computeDistributionTurn(
  { duePeriod, address }: { readonly duePeriod: Period; readonly address: string },
  addresses: readonly string[],
): Period | undefined {
  if (!addresses.includes(address)) return undefined
  const own = hashTurn(duePeriod, address)
  const before = addresses.filter((other) => compareBytes(hashTurn(duePeriod, other), own) < 0).length
  return duePeriod + 1 + before * PERIODS_PER_RANK
}

function hashTurn(duePeriod: Period, address: string): Uint8Array {
  return sha256(
    new ByteWriter(128)
      .raw(new TextEncoder().encode(`${PREFIX}${address}:`))
      .u64(BigInt(duePeriod))
      .finish(),
  )
}
