import { formatBlockId } from '../core/massa/atoms.ts'
import {
  describeBlock,
  describeEndorsement,
  describeOperation,
  type OperationDescription,
  toHex,
  type VerifiedAnswer,
} from '../core/verify.ts'
import type { ShownOperation, ShownRecord } from './worker-messages.ts'

/** What a verified answer is for the page: what the proof shows, and nothing else. */
export function showRecord({ record, bitmap, chunkIds }: VerifiedAnswer): ShownRecord {
  switch (record.kind) {
    case 'block': {
      const { slot, block } = record
      const { blockId, ...described } = describeBlock(block, undefined)
      const endorsedBlock = block.header.parents[slot.thread]
      const endorsements = endorsedBlock ? block.header.endorsements : []
      return {
        ...described,
        kind: 'block',
        id: blockId,
        operations: block.operations.map((operation) => summarise(describeOperation(operation, undefined))),
        endorsements: endorsements.map((endorsement) =>
          describeEndorsement({ slot, endorsement, endorsedBlock: endorsedBlock ?? new Uint8Array(0) }),
        ),
      }
    }
    case 'operation': {
      const { slot, head, position } = record
      const operation = describeOperation(record.operation, record.seals?.operations[0])
      return { kind: 'operation', slot, blockId: formatBlockId(head.id), position, operation }
    }
    case 'endorsement': {
      const { slot, head } = record
      return { kind: 'endorsement', slot, blockId: formatBlockId(head.id), endorsement: describeEndorsement(record) }
    }
    case 'slot-empty':
      return { kind: 'slot-empty', slot: record.slot }
    case 'period':
      return { kind: 'period', period: record.period, bitmap, chunkIds: chunkIds.map(toHex) }
  }
}

function summarise({ operationId, creator, body, reproducible }: OperationDescription): ShownOperation {
  const { kind, amountNanoMas, coinsNanoMas } = body
  const amount = amountNanoMas ?? coinsNanoMas
  return {
    id: operationId,
    creator,
    kind: String(kind),
    amountNanoMas: typeof amount === 'string' ? amount : undefined,
    isBound: reproducible,
  }
}
