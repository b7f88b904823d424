import {
  computeAddress,
  computeAddressThread,
  formatAddress,
  formatBlockId,
  type Period,
  parseBlockId,
  parseOperationId,
  slotIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import type { HistoryBlock } from '../../storage-worker/index.ts'
import {
  type BlockFilters,
  readBlockIds,
  readBlockSearch,
  readOperationIds,
} from '../../telemetry/grpc/block-requests.ts'
import {
  EmptyRequest,
  GetBlocksResponse,
  GetOperationsResponse,
  SearchBlocksResponse,
} from '../../telemetry/grpc/messages.ts'
import { MAX_MESSAGE_BYTES, tooLarge } from '../../telemetry/grpc/public-service.ts'
import { encodePublicStatus } from '../../telemetry/grpc/public-status.ts'
import { EVERYTHING } from '../../telemetry/grpc/request-checks.ts'
import { invalidArgument } from '../../telemetry/grpc/rpc-error.ts'
import type { UnaryRpc } from '../../telemetry/grpc/rpc-names.ts'
import { BLOCK_STATUS } from '../../telemetry/grpc/status-codes.ts'
import { readArchiveStatus } from '../archive-status.ts'
import { type ArchiveIdentity, type History, readBlocks } from '../json-rpc/archive-context.ts'
import type { RecentHistory } from '../json-rpc/recent-counts.ts'
import { listOperationIds, toHeaderMessage, toOperationMessage } from './archived-messages.ts'

/** As many as `get_graph_interval` reads for one answer. */
const MAX_SEARCH_PERIODS = 64

export interface GrpcContext {
  readonly history: History
  readonly recent: RecentHistory
  readonly identity: ArchiveIdentity
  readonly nowMs: () => number
}

type Answer = (request: Uint8Array, context: GrpcContext, gone: AbortSignal) => Promise<Uint8Array>

/** Unary calls that the archive answers. Each throws RpcError. */
export const ARCHIVE_CALLS: Partial<Record<UnaryRpc, Answer>> = {
  GetBlocks: async (request, { history }, gone) => {
    const answer = new ListMessage()
    for (const id of readBlockIds(request)) {
      gone.throwIfAborted()
      const found = await history.findBlock(parseBlockId(id))
      if (!found) continue
      const block = { header: toHeaderMessage(found), operations: listOperationIds(found) }
      answer.add(GetBlocksResponse.encode({ wrappedBlocks: [{ status: BLOCK_STATUS.final, block }] }))
    }
    return answer.finish()
  },
  GetOperations: async (request, { history }, gone) => {
    const answer = new ListMessage()
    for (const id of readOperationIds(request)) {
      gone.throwIfAborted()
      const found = await history.findOperation(parseOperationId(id))
      if (!found) continue
      const wrapped = {
        blockIds: found.inclusions.map(({ blockId }) => formatBlockId(blockId)),
        thread: computeAddressThread(computeAddress(found.operation.publicKey)),
        operation: toOperationMessage(found),
      }
      answer.add(GetOperationsResponse.encode({ wrappedOperations: [wrapped] }))
    }
    return answer.finish()
  },
  SearchBlocks: async (request, { history }, gone) => {
    const wanted = readBlockSearch(request)
    const ids: string[] = []
    for await (const block of wanted.ids ? findAll(history, wanted.ids) : listAll(history, wanted)) {
      gone.throwIfAborted()
      if (fitsFilters(block, wanted)) ids.push(formatBlockId(block.record.id))
    }
    // In the order of the devnet's node, where a node has none.
    ids.sort()
    return SearchBlocksResponse.encode({ blockInfos: ids.map((blockId) => ({ blockId, status: BLOCK_STATUS.final })) })
  },
  GetStatus: async (request, context) => {
    EmptyRequest.read(request)
    // There is no state here that could have a fingerprint.
    return encodePublicStatus(await readArchiveStatus(context), '')
  },
}

export function fitsFilters({ record }: HistoryBlock, wanted: BlockFilters): boolean {
  const { ids, creators, range = EVERYTHING } = wanted
  const index = slotIndex(record.header.slot)
  return (
    index >= range.from &&
    index < range.to &&
    (ids?.has(formatBlockId(record.id)) ?? true) &&
    (creators?.has(formatAddress(computeAddress(record.publicKey))) ?? true)
  )
}

async function* findAll(history: History, ids: ReadonlySet<string>): AsyncGenerator<HistoryBlock> {
  for (const id of ids) {
    const block = await history.findBlock(parseBlockId(id))
    if (block) yield block
  }
}

async function* listAll(history: History, { range = EVERYTHING }: BlockFilters): AsyncGenerator<HistoryBlock> {
  const archived = await history.readRange()
  if (!archived || range.from >= range.to) return
  const first: Period = Math.max(archived.first, Math.floor(range.from / THREAD_COUNT))
  const last: Period = Math.min(archived.last, Math.ceil(range.to / THREAD_COUNT) - 1)
  const count = last - first + 1
  if (count > MAX_SEARCH_PERIODS) {
    throw invalidArgument(
      `the slots are of ${count} archived periods, of which an answer takes at most ${MAX_SEARCH_PERIODS}: ask in parts`,
    )
  }
  for (let period = first; period <= last; period++) yield* readBlocks(history, period)
}

/** A message of a list: messages of its entries in a row are the message of all. */
class ListMessage {
  private readonly parts: Uint8Array[] = []
  private sizeBytes = 0

  add(part: Uint8Array): void {
    this.sizeBytes += part.length
    // Of what is too long only the length is wanted.
    if (this.sizeBytes <= MAX_MESSAGE_BYTES) this.parts.push(part)
  }

  /** @throws RpcError in the node's words when it is too long */
  finish(): Uint8Array {
    if (this.sizeBytes > MAX_MESSAGE_BYTES) throw tooLarge('encoded', this.sizeBytes)
    return Buffer.concat(this.parts)
  }
}
