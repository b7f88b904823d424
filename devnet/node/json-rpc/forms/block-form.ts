import {
  type DenunciationFieldsMessage,
  SignedBlockHeaderCodec,
  type SignedBlockHeaderMessage,
  type SignedEndorsementMessage,
  slotFromProtobuf,
} from '../../../../core/index.ts'
import type { ChainBlock } from '../../chain/chain-block.ts'

/* JSON of blocks and endorsements, field by field in a node's order. */

/** An endorsement of a block, and the texts that it is looked up by. */
export interface BlockEndorsement {
  readonly id: string
  readonly creator: string
  readonly json: unknown
}

interface BlockTexts {
  readonly header: unknown
  readonly endorsements: readonly BlockEndorsement[]
}

/** Blocks never change: each is decoded once while the chain has it. */
const texts = new WeakMap<ChainBlock, BlockTexts>()

export function blockToJson(block: ChainBlock): unknown {
  return { header: readTexts(block).header, operations: block.operationIds }
}

export function listEndorsements(block: ChainBlock): readonly BlockEndorsement[] {
  return readTexts(block).endorsements
}

function readTexts(block: ChainBlock): BlockTexts {
  let found = texts.get(block)
  if (!found) {
    const message = SignedBlockHeaderCodec.decode(block.headerMessage)
    const endorsements = (message.content?.endorsements ?? []).map((endorsement) => ({
      id: endorsement.secureHash ?? '',
      creator: endorsement.contentCreatorAddress ?? '',
      json: endorsementToJson(endorsement),
    }))
    found = { header: headerToJson(message, endorsements), endorsements }
    texts.set(block, found)
  }
  return found
}

function headerToJson(message: SignedBlockHeaderMessage, endorsements: readonly BlockEndorsement[]): unknown {
  const { content } = message
  return {
    content: {
      current_version: content?.currentVersion ?? 0,
      announced_version: content?.announcedVersion?.value ?? null,
      slot: slotFromProtobuf(content?.slot),
      parents: content?.parents ?? [],
      operation_merkle_root: content?.operationsHash,
      endorsements: endorsements.map(({ json }) => json),
      denunciations: (content?.denunciations ?? []).map(({ blockHeader, endorsement }) =>
        blockHeader
          ? { BlockHeader: denunciationToJson(blockHeader, {}) }
          : { Endorsement: denunciationToJson(endorsement ?? {}, { index: endorsement?.index ?? 0 }) },
      ),
    },
    ...signedToJson(message),
  }
}

function endorsementToJson(message: SignedEndorsementMessage): unknown {
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
