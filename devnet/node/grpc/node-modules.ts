import type { Clock } from '../../../core/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'

/** What answers are made of. */
export interface NodeModules {
  readonly chain: DevnetChain
  /** Virtual time: the chain is brought to it before each call. */
  readonly clock: Pick<Clock, 'nowMs'>
}
