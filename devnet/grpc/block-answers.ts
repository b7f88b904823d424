import { type BlockIdText, SignedBlockHeaderCodec } from '../../core/index.ts'
import { readBlockIds, readBlockSearch, readOperationIds } from '../../telemetry/grpc/block-requests.ts'
import { GetBlocksResponse, GetOperationsResponse, SearchBlocksResponse } from '../../telemetry/grpc/messages.ts'
import { EVERYTHING } from '../../telemetry/grpc/request-checks.ts'

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
  const { ids, creators, range } = readBlockSearch(request)
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

export function creatorOf(block: NodeBlock): string {
  return block.creator ?? SignedBlockHeaderCodec.decode(block.headerMessage).contentCreatorAddress ?? ''
}

export function getBlocks(request: Uint8Array, source: BlockSource): Uint8Array {
  const known = readBlockIds(request).flatMap((id) => source.findBlock(id) ?? [])
  return GetBlocksResponse.encode({
    wrappedBlocks: known.map((block) => ({
      status: source.blockStatus(block),
      block: { header: block.headerMessage, operations: block.operationIds },
    })),
  })
}

export function getOperations(request: Uint8Array, find: (id: string) => NodeOperation | undefined): Uint8Array {
  const known = readOperationIds(request).flatMap((id) => find(id) ?? [])
  return GetOperationsResponse.encode({
    wrappedOperations: known.map(({ blockIds, thread, message }) => ({ blockIds, thread, operation: message })),
  })
}
