import { sha256 } from '#crypto'
import { compareBytes } from './bytes.ts'
import { ByteWriter } from './codec.ts'

/** An operation is in a block 5 to 31 s after it was sent: whoever comes next sees it there, and pays nothing. */
export const PERIODS_PER_RANK = 2

/**
 * Who does first what one node has to do for all: another order for each number, the same on every node.
 *
 * @param prefix - what is done, such as `massa-storage/anchor/1:`
 * @param n - the era or period that it is done for
 * @returns how many come before this address; undefined when it is not among them
 */
export function computeTurnRank(
  { prefix, n, address }: { readonly prefix: string; readonly n: number; readonly address: string },
  addresses: readonly string[],
): number | undefined {
  if (!addresses.includes(address)) return undefined
  const hash = (other: string) =>
    sha256(
      new ByteWriter(128)
        .raw(new TextEncoder().encode(`${prefix}${other}:`))
        .u64(BigInt(n))
        .finish(),
    )
  const own = hash(address)
  return addresses.filter((other) => compareBytes(hash(other), own) < 0).length
}
