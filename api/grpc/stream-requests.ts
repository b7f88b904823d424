import { status } from '@grpc/grpc-js'
import type { Slot } from '../../core/index.ts'
import type { HistoryBlock } from '../../storage-worker/index.ts'
import { readBlockFilters } from '../../telemetry/grpc/block-requests.ts'
import { NewBlocksRequest, SlotExecutionOutputCodec } from '../../telemetry/grpc/messages.ts'
import { readOutputFilters } from '../../telemetry/grpc/output-filters.ts'
import { invalidArgument, RpcError } from '../../telemetry/grpc/rpc-error.ts'
import { OUTPUT_STATUS } from '../../telemetry/grpc/status-codes.ts'
import { encodeWireField } from '../../telemetry/grpc/wire.ts'
import type { History } from '../json-rpc/archive-context.ts'
import { fitsFilters } from './archive-calls.ts'
import { toFilledBlock, toOutputMessage, toSignedBlock } from './archived-messages.ts'
import type { Wanted } from './final-stream.ts'

/** Of what there is nothing in the archive, filters cannot be answered. */
const UNARCHIVED_PARTS = ['ledgerChangesFilter', 'asyncPoolChangesFilter', 'executedDenounciationFilter'] as const

type StreamHistory = Pick<History, 'findSlot' | 'readExecution'>

type ReadRequest = (request: Uint8Array, history: StreamHistory) => Wanted

/** What a request of a stream asks for, by the stream's name. Each throws RpcError. */
export const ARCHIVE_STREAMS = {
  NewBlocks: (request, history) => readBlocksRequest(request, history, toSignedBlock),
  NewFilledBlocks: (request, history) => readBlocksRequest(request, history, toFilledBlock),
  NewSlotExecutionOutputs: readOutputsRequest,
} satisfies Record<string, ReadRequest>
export type ArchiveStream = keyof typeof ARCHIVE_STREAMS

function readBlocksRequest(
  request: Uint8Array,
  history: StreamHistory,
  encode: (block: HistoryBlock) => Uint8Array,
): Wanted {
  const filters = readBlockFilters(NewBlocksRequest.read(request).filters)
  return {
    range: filters.range,
    hasStart: filters.hasStart,
    read: async (slot) => {
      const block = await readBlock(history, slot)
      return block && fitsFilters(block, filters) ? encodeWireField(1, encode(block)) : undefined
    },
  }
}

function readOutputsRequest(request: Uint8Array, history: StreamHistory): Wanted {
  const { status: wantedStatus, range, hasStart, cut, parts } = readOutputFilters(request)
  const unarchived = UNARCHIVED_PARTS.find((part) => parts.has(part))
  if (unarchived) throw invalidArgument(`${unarchived}: of these changes nothing is archived`)
  return {
    range,
    hasStart,
    read: async (slot) => {
      // Before the block: when the period is deleted meanwhile, that is found out by the block.
      const execution = await history.readExecution(slot)
      const block = await readBlock(history, slot)
      // All that is archived is final.
      if ((wantedStatus ?? OUTPUT_STATUS.final) !== OUTPUT_STATUS.final) return undefined
      const whole = toOutputMessage(slot, block, execution)
      // What is not known is not filtered: nobody can say that there is nothing of it.
      const output = cut && 'stateChanges' in whole ? cut(whole) : whole
      if (!output) return undefined
      return encodeWireField(
        1,
        SlotExecutionOutputCodec.encode({ status: OUTPUT_STATUS.final, executionOutput: output }),
      )
    },
  }
}

/** @throws RpcError when the period is not archived though later ones are: nothing is left out unsaid */
async function readBlock(history: Pick<History, 'findSlot'>, slot: Slot): Promise<HistoryBlock | undefined> {
  const found = await history.findSlot(slot)
  if (!found) throw new RpcError(status.DATA_LOSS, `period ${slot.period} is not archived here, later ones are`)
  return found.kind === 'block' ? found.block : undefined
}
