import type { Slot } from '../../units.ts'
import { slotFromProtobuf } from '../protobuf-form.ts'
import type {
  DenunciationFieldsMessage,
  SignedBlockHeaderMessage,
  SignedEndorsementMessage,
} from '../protobuf-schema.ts'

/* JSON of blocks and endorsements as a node's JSON-RPC gives them, field by field in its order. */

/** What consensus says of a block. */
export interface BlockStanding {
  readonly isFinal: boolean
  readonly isInBlockclique: boolean
  readonly isCandidate: boolean
  readonly isDiscarded: boolean
}

/** One of `get_blocks`. @param block - as `blockToJson` gives it */
export function blockInfoToJson(id: string, standing: BlockStanding, block: unknown): unknown {
  return {
    id,
    content: {
      is_final: standing.isFinal,
      is_in_blockclique: standing.isInBlockclique,
      is_candidate: standing.isCandidate,
      is_discarded: standing.isDiscarded,
      block,
    },
  }
}

/** @param header - as `headerToJson` gives it */
export function blockToJson(header: unknown, operationIds: readonly string[]): unknown {
  return { header, operations: operationIds }
}

/** @param endorsements - those of the header, as `endorsementToJson` gives them */
export function headerToJson(message: SignedBlockHeaderMessage, endorsements: readonly unknown[]): unknown {
  const { content } = message
  return {
    content: {
      current_version: content?.currentVersion ?? 0,
      announced_version: content?.announcedVersion?.value ?? null,
      slot: slotFromProtobuf(content?.slot),
      parents: content?.parents ?? [],
      operation_merkle_root: content?.operationsHash,
      endorsements,
      denunciations: (content?.denunciations ?? []).map(({ blockHeader, endorsement }) =>
        blockHeader
          ? { BlockHeader: denunciationToJson(blockHeader, {}) }
          : { Endorsement: denunciationToJson(endorsement ?? {}, { index: endorsement?.index ?? 0 }) },
      ),
    },
    ...signedToJson(message),
  }
}

export function endorsementToJson(message: SignedEndorsementMessage): unknown {
  const { content } = message
  return {
    content: {
      slot: slotFromProtobuf(content?.slot),
      index: content?.index ?? 0,
      endorsed_block: content?.endorsedBlock,
    },
    ...signedToJson(message),
  }
}

/** One of `get_endorsements`: of an endorsement that is in blocks. @param endorsement - as `endorsementToJson` gives it */
export function endorsementInfoToJson(info: {
  readonly id: string
  readonly inBlocks: readonly string[]
  readonly isFinal: boolean
  readonly endorsement: unknown
}): unknown {
  const { id, inBlocks, isFinal, endorsement } = info
  return { id, in_pool: false, in_blocks: inBlocks, is_final: isFinal, endorsement }
}

/** One of `get_graph_interval`. */
export function graphBlockToJson(block: {
  readonly id: string
  readonly isFinal: boolean
  readonly isStale: boolean
  readonly isInBlockclique: boolean
  readonly slot: Slot
  readonly creator: string
  readonly parents: readonly string[]
}): unknown {
  const { id, isFinal, isStale, isInBlockclique, slot, creator, parents } = block
  return { id, is_final: isFinal, is_stale: isStale, is_in_blockclique: isInBlockclique, slot, creator, parents }
}

function signedToJson(message: SignedEndorsementMessage | SignedBlockHeaderMessage): object {
  return {
    signature: message.signature,
    content_creator_pub_key: message.contentCreatorPubKey,
    content_creator_address: message.contentCreatorAddress,
    id: message.secureHash,
  }
}

function denunciationToJson(fields: DenunciationFieldsMessage, index: { readonly index?: number }): unknown {
  return {
    public_key: fields.publicKey,
    slot: slotFromProtobuf(fields.slot),
    ...index,
    hash_1: fields.hash_1,
    hash_2: fields.hash_2,
    signature_1: fields.signature_1,
    signature_2: fields.signature_2,
  }
}
