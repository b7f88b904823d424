import { status } from '@grpc/grpc-js'
import type { SlotExecution } from '../../archiver/index.ts'
import {
  asShown,
  concatBytes,
  formatBlockId,
  formatOperationId,
  headerToProtobuf,
  knownOperationToProtobuf,
  parseOperationContent,
  RawFilledBlockCodec,
  type RecordedOperation,
  SEAL_BYTES,
  SIGNED_OVERHEAD_BYTES,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  type Slot,
  slotToProtobuf,
  toU64,
} from '../../core/index.ts'
import type { HistoryBlock, HistoryOperation } from '../../storage-worker/index.ts'
import type { BareOutputMessage, EventMessage, OutputMessage } from '../../telemetry/grpc/messages.ts'
import { RpcError } from '../../telemetry/grpc/rpc-error.ts'
import { encodeSignedBlock } from '../../telemetry/grpc/signed-block.ts'
import { EVENT_STATUS, OPERATION_STATUS } from '../../telemetry/grpc/status-codes.ts'

/* Archived blocks, operations and results in the messages of a node, byte for byte as it sent them. */

/** A SignedBlockHeader. @throws RpcError where signatures are not held */
export function toHeaderMessage({ record, seals }: HistoryBlock): Uint8Array {
  const signature = withVersion(seals?.subarray(0, SEAL_BYTES))
  return SignedBlockHeaderCodec.encode(
    headerToProtobuf({ publicKey: record.publicKey, signature, content: record.header }),
  )
}

/** A SignedOperation. @throws RpcError where signatures are not held */
export function toOperationMessage({
  operation,
  signature,
}: Pick<HistoryOperation, 'operation' | 'signature'>): Uint8Array {
  const { content, id, publicKey, serializedSizeBytes = content.length + SIGNED_OVERHEAD_BYTES } = operation
  const signed = { publicKey, signature: withVersion(signature), content: asShown(parseOperationContent(content)) }
  return SignedOperationCodec.encode(knownOperationToProtobuf(signed, { id, serializedSizeBytes }))
}

/** A FilledBlock. @throws RpcError where signatures are not held */
export function toFilledBlock(block: HistoryBlock): Uint8Array {
  const { record, seals } = block
  const messages = new Map<string, Uint8Array>(
    record.operations.map((operation, i) => {
      const signature = seals?.subarray(SEAL_BYTES * (1 + i), SEAL_BYTES * (2 + i))
      const message = toOperationMessage({ operation, ...(signature ? { signature } : {}) })
      return [formatOperationId(operation.id), message] as const
    }),
  )
  return RawFilledBlockCodec.encode({
    header: toHeaderMessage(block),
    operations: listOperationIds(block).map((operationId) => {
      const operation = messages.get(operationId)
      return { operationId, ...(operation ? { operation } : {}) }
    }),
  })
}

/** A SignedBlock. @throws RpcError where signatures are not held */
export function toSignedBlock(block: HistoryBlock): Uint8Array {
  return encodeSignedBlock(toHeaderMessage(block), listOperationIds(block))
}

/** In block order, duplicates kept. */
export function listOperationIds({ record }: HistoryBlock): string[] {
  return record.operationIds.map(formatOperationId)
}

/**
 * What became of a final slot, as far as it is archived: of ledger, pools and denunciations nothing.
 *
 * @param execution - undefined, or not complete: then there are no changes, which a node always shows, and no events
 */
export function toOutputMessage(
  slot: Slot,
  block: HistoryBlock | undefined,
  execution: SlotExecution | undefined,
): OutputMessage | BareOutputMessage {
  const blockId = block && { value: formatBlockId(block.record.id) }
  const shown = { slot: slotToProtobuf(slot), ...(blockId ? { blockId } : {}) }
  if (!execution?.complete) return shown
  const operations = new Map<string, RecordedOperation>(
    (block?.record.operations ?? []).map((one) => [formatOperationId(one.id), one]),
  )
  return {
    ...shown,
    events: execution.events.map((event): EventMessage => {
      return {
        context: {
          originSlot: slotToProtobuf(slot),
          ...(blockId ? { blockId } : {}),
          indexInSlot: toU64(BigInt(event.indexInSlot)),
          callStack: event.callStack,
          ...(event.operationId === '' ? {} : { originOperationId: { value: event.operationId } }),
          isFailure: event.failed,
          status: EVENT_STATUS.unspecified,
        },
        data: event.data,
      }
    }),
    stateChanges: {
      ledgerChanges: [],
      executedOpsChanges: execution.outcomes.map(({ operationId, outcome }) => ({
        operationId,
        value: {
          status: outcome === 'success' ? OPERATION_STATUS.success : OPERATION_STATUS.failed,
          slot: slotToProtobuf({ period: findExpiry(operations.get(operationId), slot), thread: slot.thread }),
        },
      })),
      executedDenunciationsChanges: [],
      ...(execution.trailHash === '' ? {} : { executionTrailHashChange: { set: { value: execution.trailHash } } }),
    },
  }
}

/** Up to it a node remembers that an operation was executed. */
function findExpiry(operation: RecordedOperation | undefined, slot: Slot): number {
  return operation ? Number(parseOperationContent(operation.content).expirePeriod) : slot.period
}

/** With the byte that SEALS leave out. */
function withVersion(seal: Uint8Array | undefined): Uint8Array {
  if (!seal) throw new RpcError(status.INTERNAL, 'the signatures of this period are not held here')
  return concatBytes(Uint8Array.of(0), seal)
}
