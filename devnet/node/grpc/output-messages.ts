import { type Denunciation, formatHash, slotToProtobuf, toU64 } from '../../../core/index.ts'
import {
  type DenunciationIndexMessage,
  type EventMessage,
  type LedgerChangeMessage,
  type OutputMessage,
  SlotExecutionOutputCodec,
  toAmountMessage,
} from '../../../telemetry/grpc/messages.ts'
import { EVENT_STATUS, LEDGER_CHANGE, OPERATION_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import { encodeWireField } from '../../../telemetry/grpc/wire.ts'
import type { AddressChange, ContractEvent, StateChanges } from '../../engine/index.ts'
import type { SlotOutput } from '../chain/slot-executor.ts'

const KEEP = { keep: {} }

/** A NewSlotExecutionOutputsResponse message. @param status - one of OUTPUT_STATUS */
export function encodeSlotOutput(output: OutputMessage, status: number): Uint8Array {
  return encodeWireField(1, SlotExecutionOutputCodec.encode({ status, executionOutput: output }))
}

/** Events of a slot are broadcast before they are marked final: their status stays unset (facts: massa-node 1.3). */
export function toOutputMessage(output: SlotOutput): OutputMessage {
  const { block, slot } = output
  return {
    slot: slotToProtobuf(slot),
    ...(block === undefined ? {} : { blockId: { value: block.id } }),
    events: output.events.map((event) => toEventMessage(event, { block: block?.id, status: EVENT_STATUS.unspecified })),
    stateChanges: {
      ledgerChanges: toLedgerChanges(output.ledgerChanges),
      executedOpsChanges: output.executedOperations.map(({ id, success, validUntilPeriod }) => ({
        operationId: id,
        value: {
          status: success ? OPERATION_STATUS.success : OPERATION_STATUS.failed,
          slot: slotToProtobuf({ period: validUntilPeriod, thread: slot.thread }),
        },
      })),
      executedDenunciationsChanges: output.executedDenunciations.map(toDenunciationIndex),
      executionTrailHashChange: { set: { value: formatHash(output.executionTrailHash) } },
    },
  }
}

function toDenunciationIndex({ kind, slot, index = 0 }: Denunciation): DenunciationIndexMessage {
  const denounced = { slot: slotToProtobuf(slot) }
  return kind === 'block-header' ? { blockHeader: denounced } : { endorsement: { ...denounced, index } }
}

/** @param shown - block of the slot; one of EVENT_STATUS */
export function toEventMessage(
  event: ContractEvent,
  shown: { readonly block: string | undefined; readonly status: number },
): EventMessage {
  const { originOperationId } = event
  return {
    context: {
      originSlot: slotToProtobuf(event.slot),
      ...(shown.block === undefined ? {} : { blockId: { value: shown.block } }),
      indexInSlot: toU64(BigInt(event.indexInSlot)),
      callStack: event.callStack,
      ...(originOperationId === undefined ? {} : { originOperationId: { value: originOperationId } }),
      isFailure: event.isError,
      status: shown.status,
    },
    data: Buffer.from(event.data),
  }
}

export function toLedgerChanges(changes: StateChanges): LedgerChangeMessage[] {
  return [...changes].map(([address, change]) => ({
    address,
    value: change.created ? toCreated(change) : toUpdated(change),
  }))
}

function toCreated({ balanceNanoMas, bytecode, datastore }: AddressChange): LedgerChangeMessage['value'] {
  return {
    type: LEDGER_CHANGE.set,
    createdEntry: {
      balance: toAmountMessage(balanceNanoMas ?? 0n),
      bytecode: bytecode ?? new Uint8Array(0),
      datastore: [...datastore].flatMap(([key, value]) => (value === undefined ? [] : [{ key: toKey(key), value }])),
    },
  }
}

function toUpdated({ balanceNanoMas, bytecode, datastore }: AddressChange): LedgerChangeMessage['value'] {
  return {
    type: LEDGER_CHANGE.update,
    updatedEntry: {
      balance: balanceNanoMas === undefined ? KEEP : { set: toAmountMessage(balanceNanoMas) },
      bytecode: bytecode === undefined ? KEEP : { set: { value: bytecode } },
      // The node does not say which entry was deleted.
      datastore: [...datastore].map(([key, value]) =>
        value === undefined ? { delete: {} } : { set: { key: toKey(key), value } },
      ),
    },
  }
}

function toKey(latin1: string): Uint8Array {
  return Buffer.from(latin1, 'latin1')
}
