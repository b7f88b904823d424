import { type BlocksFilter, GetBlocksRequest, GetOperationsRequest, SearchBlocksRequest } from './messages.ts'
import { checkFilterCount, checkNamed, type IndexRange, intersectRanges, joinNamed, tooMany } from './request-checks.ts'
import { invalidArgument } from './rpc-error.ts'

/* What is asked of blocks and operations, with a node's limits and words. */

const MAX_BLOCK_IDS = 50
const MAX_OPERATION_IDS = 250

/** What filters of blocks ask for; absent is anything. */
export interface BlockFilters {
  readonly ids: ReadonlySet<string> | undefined
  readonly creators: ReadonlySet<string> | undefined
  readonly range: IndexRange | undefined
  /** A range says where it starts. */
  readonly hasStart: boolean
}

/** @throws RpcError */
export function readBlockFilters(filters: readonly BlocksFilter[]): BlockFilters {
  checkFilterCount(filters)
  const of = (kind: BlocksFilter['filter']) => filters.filter(({ filter }) => filter === kind)
  return {
    ids: joinNamed(
      'block',
      of('blockIds').map(({ blockIds }) => blockIds?.blockIds ?? []),
    ),
    creators: joinNamed(
      'address',
      of('addresses').map(({ addresses }) => addresses?.addresses ?? []),
    ),
    range: intersectRanges(of('slotRange').map(({ slotRange }) => slotRange)),
    hasStart: of('slotRange').some(({ slotRange }) => slotRange?.startSlot),
  }
}

/** Of SearchBlocks. @throws RpcError */
export function readBlockSearch(request: Uint8Array): BlockFilters {
  const wanted = readBlockFilters(SearchBlocksRequest.read(request).filters)
  if (!wanted.ids && !wanted.creators && !wanted.range) throw invalidArgument('no filter provided')
  return wanted
}

/** Of GetBlocks. @throws RpcError */
export function readBlockIds(request: Uint8Array): readonly string[] {
  const { blockIds } = GetBlocksRequest.read(request)
  if (blockIds.length === 0) throw invalidArgument('no block id provided')
  if (blockIds.length > MAX_BLOCK_IDS) throw tooMany('block ids', MAX_BLOCK_IDS)
  for (const id of blockIds) checkNamed('block', id)
  return blockIds
}

/** Of GetOperations. @throws RpcError */
export function readOperationIds(request: Uint8Array): readonly string[] {
  const { operationIds } = GetOperationsRequest.read(request)
  if (operationIds.length === 0) throw invalidArgument('no operations ids specified')
  if (operationIds.length > MAX_OPERATION_IDS) throw tooMany('operations', MAX_OPERATION_IDS)
  for (const id of operationIds) checkNamed('operation', id)
  return operationIds
}
