import type { RpcMethod } from '../../../telemetry/json-rpc/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'

export interface RpcContext {
  /** The time of an answer is the chain's own: since the request came others may have advanced it. */
  readonly chain: DevnetChain
}

export type NodeMethod = RpcMethod<RpcContext>
