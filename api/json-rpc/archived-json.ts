import type { ExecutionEvent } from '../../archiver/index.ts'
import {
  asShown,
  blockToJson,
  computeAddress,
  computeAddressThread,
  concatBytes,
  type EventForm,
  endorsementInfoToJson,
  endorsementToJson,
  endorsementToProtobuf,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  formatPublicKey,
  formatSignature,
  graphBlockToJson,
  headerToJson,
  headerToProtobuf,
  operationToJson,
  parseOperationContent,
  SEAL_BYTES,
  type SignedBlockHeaderMessage,
  type Slot,
} from '../../core/index.ts'
import type { HistoryBlock, HistoryEndorsement, HistoryOperation } from '../../storage-worker/index.ts'
import { JsonRpcError } from '../../telemetry/json-rpc/index.ts'

/* Archived blocks, operations and events in the JSON of a node. */

/** All that is archived is final. */
export const FINAL = { isFinal: true, isInBlockclique: false, isCandidate: false, isDiscarded: false }

export function archivedBlockToJson(block: HistoryBlock): unknown {
  const message = toMessage(block)
  const endorsements = (message.content?.endorsements ?? []).map(endorsementToJson)
  return blockToJson(headerToJson(message, endorsements), block.record.operationIds.map(formatOperationId))
}

export function archivedEndorsementToJson(found: HistoryEndorsement): unknown {
  const { endorsement, id, slot, endorsedBlock, inclusions } = found
  return endorsementInfoToJson({
    id: formatEndorsementId(id),
    inBlocks: inclusions.map(({ blockId }) => formatBlockId(blockId)),
    isFinal: true,
    endorsement: endorsementToJson(endorsementToProtobuf(endorsement, slot, endorsedBlock)),
  })
}

export function archivedGraphBlockToJson({ record }: HistoryBlock): unknown {
  return graphBlockToJson({
    id: formatBlockId(record.id),
    isFinal: true,
    isStale: false,
    isInBlockclique: false,
    slot: record.header.slot,
    creator: formatAddress(computeAddress(record.publicKey)),
    parents: record.header.parents.map(formatBlockId),
  })
}

/**
 * @param success - undefined where its execution is not known: then it is as with a node that knows of none, neither a
 *   status nor that it is final
 */
export function archivedOperationToJson(found: HistoryOperation, success: boolean | undefined): unknown {
  const { operation, signature, inclusions } = found
  const id = formatOperationId(operation.id)
  const creator = computeAddress(operation.publicKey)
  return operationToJson({
    id,
    isPooled: false,
    inBlocks: inclusions.map(({ blockId }) => formatBlockId(blockId)),
    thread: computeAddressThread(creator),
    operation: asShown(parseOperationContent(operation.content)),
    signature: formatSignature(withVersion(signature)),
    publicKey: formatPublicKey(operation.publicKey),
    creator: formatAddress(creator),
    execution: success === undefined ? undefined : { isFinal: true, success },
  })
}

const decoder = new TextDecoder()

export function toEventForm(event: ExecutionEvent, slot: Slot): EventForm {
  return {
    slot,
    indexInSlot: event.indexInSlot,
    readOnly: false,
    callStack: event.callStack,
    originOperationId: event.operationId === '' ? undefined : event.operationId,
    isError: event.failed,
    data: decoder.decode(event.data),
  }
}

function toMessage({ record, seals }: HistoryBlock): SignedBlockHeaderMessage {
  const signature = withVersion(seals?.subarray(0, SEAL_BYTES))
  return headerToProtobuf({ publicKey: record.publicKey, signature, content: record.header })
}

/** With the byte that SEALS leave out. @throws JsonRpcError where they are not held: a node always has a signature */
function withVersion(seal: Uint8Array | undefined): Uint8Array {
  if (!seal) throw new JsonRpcError(-32001, 'Internal server error: the signatures of this period are not held here')
  return concatBytes(Uint8Array.of(0), seal)
}
