import { type BlockIdText, SignedBlockHeaderCodec } from '../../core/index.ts'
import {
  type BlocksFilter,
  GetBlocksRequest,
  GetBlocksResponse,
  GetOperationsRequest,
  GetOperationsResponse,
  SearchBlocksRequest,
  SearchBlocksResponse,
} from './messages.ts'
import { checkFilterCount, checkNamed, EVERYTHING, intersectRanges, joinNamed, tooMany } from './request-checks.ts'
import { invalidArgument } from './rpc-error.ts'

const MAX_BLOCK_IDS = 50
const MAX_OPERATION_IDS = 250

export interface NodeBlock {
  readonly id: BlockIdText
  readonly slotIndex: number
  /** Where it is not at hand it is read from the header. */
  readonly creator?: string
  /** A SignedBlockHeader message. */
  readonly headerMessage: Uint8Array
  readonly operationIds: readonly string[]
}

export interface NodeOperation {
  /** A SignedOperation message. */
  readonly message: Uint8Array
  readonly thread: number
  readonly blockIds: readonly string[]
}

/** Blocks as a node knows them. */
export interface BlockSource {
  /** Blocks of [from, to) still in memory, in any order. */
  listBlocks(fromIndex: number, toIndex: number): readonly NodeBlock[]
  findBlock(id: string): NodeBlock | undefined
  /** One of BLOCK_STATUS; 0 for what nothing is known of. */
  blockStatus(block: NodeBlock): number
}

export function searchBlocks(request: Uint8Array, source: BlockSource): Uint8Array {
  const { ids, creators, range } = readBlockFilters(SearchBlocksRequest.read(request).filters)
  if (!ids && !creators && !range) throw invalidArgument('no filter provided')
  const { from, to } = range ?? EVERYTHING
  const listed = ids
    ? [...ids]
        .flatMap((id) => source.findBlock(id) ?? [])
        .filter(({ slotIndex }) => slotIndex >= from && slotIndex < to)
    : source.listBlocks(from, to)
  const found = creators ? listed.filter((block) => creators.has(creatorOf(block))) : [...listed]
  // A node answers in no order at all: sorted by id, so that nobody comes to rely on slots.
  found.sort((a, b) => (a.id < b.id ? -1 : 1))
  return SearchBlocksResponse.encode({
    blockInfos: found.map((block) => ({ blockId: block.id, status: source.blockStatus(block) })),
  })
}

/** What filters of blocks ask for; absent is anything. @throws RpcError */
export function readBlockFilters(filters: readonly BlocksFilter[]) {
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
  }
}

export function creatorOf(block: NodeBlock): string {
  return block.creator ?? SignedBlockHeaderCodec.decode(block.headerMessage).contentCreatorAddress ?? ''
}

export function getBlocks(request: Uint8Array, source: BlockSource): Uint8Array {
  const { blockIds } = GetBlocksRequest.read(request)
  if (blockIds.length === 0) throw invalidArgument('no block id provided')
  if (blockIds.length > MAX_BLOCK_IDS) throw tooMany('block ids', MAX_BLOCK_IDS)
  for (const id of blockIds) checkNamed('block', id)
  const known = blockIds.flatMap((id) => source.findBlock(id) ?? [])
  return GetBlocksResponse.encode({
    wrappedBlocks: known.map((block) => ({
      status: source.blockStatus(block),
      block: { header: block.headerMessage, operations: block.operationIds },
    })),
  })
}

export function getOperations(request: Uint8Array, find: (id: string) => NodeOperation | undefined): Uint8Array {
  const { operationIds } = GetOperationsRequest.read(request)
  if (operationIds.length === 0) throw invalidArgument('no operations ids specified')
  if (operationIds.length > MAX_OPERATION_IDS) throw tooMany('operations', MAX_OPERATION_IDS)
  for (const id of operationIds) checkNamed('operation', id)
  const known = operationIds.flatMap((id) => find(id) ?? [])
  return GetOperationsResponse.encode({
    wrappedOperations: known.map(({ blockIds, thread, message }) => ({ blockIds, thread, operation: message })),
  })
}
