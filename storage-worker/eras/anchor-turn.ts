import { sha256 } from '#crypto'
import { ByteWriter, compareBytes, ERA_PERIODS, type Period } from '../../core/index.ts'

/** Periods after the end of an era before the registry takes it (docs/CONTRACT.md). */
const FINAL_PERIODS = 8
/** An operation is in a block 5 to 31 s after it was sent: whoever comes next sees it there, and pays nothing. */
const PERIODS_PER_RANK = 2
const PREFIX = 'massa-storage/anchor/1:'

/**
 * First period in which a node anchors an era, if nobody has by then: nodes go one after the other, in an order that is
 * another one for each era, so that fees are not paid twice.
 *
 * @param era - to be anchored
 * @param eraInForce - a later one, whose nodes these are: what it has left open is taken up anew
 * @param addresses - Massa addresses of the nodes of the placement in force, in any order
 * @returns undefined for whoever is not among them: it has no turn
 */
export function computeAnchorTurn(
  { era, eraInForce, address }: { readonly era: number; readonly eraInForce: number; readonly address: string },
  addresses: readonly string[],
): Period | undefined {
  if (!addresses.includes(address)) return undefined
  const own = hashTurn(era, address)
  const before = addresses.filter((other) => compareBytes(hashTurn(era, other), own) < 0).length
  return eraInForce * ERA_PERIODS + FINAL_PERIODS + before * PERIODS_PER_RANK
}

function hashTurn(era: number, address: string): Uint8Array {
  return sha256(
    new ByteWriter(128)
      .raw(new TextEncoder().encode(`${PREFIX}${address}:`))
      .u64(BigInt(era))
      .finish(),
  )
}
