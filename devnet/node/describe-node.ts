import type { DevnetChain } from './chain/devnet-chain.ts'
import { NODE_ID, NODE_SOFTWARE } from './node-identity.ts'

/** What a status tells of the node and its chain, in JSON-RPC and in gRPC. */
export function describeNode(chain: DevnetChain) {
  return {
    nodeId: NODE_ID,
    version: NODE_SOFTWARE,
    nowMs: chain.nowMs,
    genesisTimestampMs: chain.genesisTimestampMs,
    chainId: chain.chainId,
    lastSlot: chain.lastSlot,
    activeCursor: chain.executedSlot,
    finalCursor: chain.finalSlot,
    minimalFeeNanoMas: chain.minimalFeeNanoMas,
    networkVersion: chain.options.networkVersion,
    deltaF0: chain.options.deltaF0,
  }
}
