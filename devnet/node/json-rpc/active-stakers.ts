import { formatAddress } from '../../../core/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'

/** Whom slots are drawn for. */
export function listActiveStakers(chain: DevnetChain): { readonly address: string; readonly rolls: bigint }[] {
  return chain.stakers.map(({ key, rolls }) => ({ address: formatAddress(key.address), rolls }))
}
