import { blockToJson, endorsementToJson, headerToJson, SignedBlockHeaderCodec } from '../../../../core/index.ts'
import type { ChainBlock } from '../../chain/chain-block.ts'

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

export function chainBlockToJson(block: ChainBlock): unknown {
  return blockToJson(readTexts(block).header, block.operationIds)
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
    const header = headerToJson(
      message,
      endorsements.map(({ json }) => json),
    )
    found = { header, endorsements }
    texts.set(block, found)
  }
  return found
}
