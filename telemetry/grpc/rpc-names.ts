/* Every call of the public service of a massa-node, by the way it takes and gives messages. */

export const UNARY_RPCS = [
  'ExecuteReadOnlyCall',
  'GetBlocks',
  'GetDatastoreEntries',
  'GetEndorsements',
  'GetNextBlockBestParents',
  'GetOperationABICallStacks',
  'GetOperations',
  'GetScExecutionEvents',
  'GetSelectorDraws',
  'GetSlotABICallStacks',
  'GetSlotTransfers',
  'GetStakers',
  'GetStatus',
  'GetTransactionsThroughput',
  'QueryState',
  'SearchBlocks',
  'SearchEndorsements',
  'SearchOperations',
] as const

/** One request, then messages from the server. */
export const STREAM_RPCS = [
  'NewBlocksServer',
  'NewEndorsementsServer',
  'NewFilledBlocksServer',
  'NewOperationsServer',
  'NewSlotExecutionOutputsServer',
  'NewTransfersInfoServer',
  'TransactionsThroughputServer',
] as const

/** Messages both ways. */
export const DUPLEX_RPCS = [
  'NewBlocks',
  'NewEndorsements',
  'NewFilledBlocks',
  'NewOperations',
  'NewSlotABICallStacks',
  'NewSlotExecutionOutputs',
  'NewSlotTransfers',
  'SendBlocks',
  'SendEndorsements',
  'SendOperations',
  'TransactionsThroughput',
] as const

export type UnaryRpc = (typeof UNARY_RPCS)[number]
export type StreamRpc = (typeof STREAM_RPCS)[number]
export type DuplexRpc = (typeof DUPLEX_RPCS)[number]

/** What a node says of calls that it was not built for. */
export const FEATURE_MISSING = 'feature not enabled'
const OPTIONAL_RPCS: ReadonlySet<string> = new Set([
  'GetOperationABICallStacks',
  'GetSlotABICallStacks',
  'GetSlotTransfers',
  'NewSlotABICallStacks',
  'NewSlotTransfers',
  'NewTransfersInfoServer',
] satisfies (UnaryRpc | StreamRpc | DuplexRpc)[])

/** True for what only nodes have that were built with traces or transfer infos. */
export function isOptionalRpc(rpc: UnaryRpc | StreamRpc | DuplexRpc): boolean {
  return OPTIONAL_RPCS.has(rpc)
}
