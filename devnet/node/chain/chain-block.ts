import {
  type BlockHeader,
  type BlockIdText,
  computeAddress,
  computeBlockId,
  computeGenesisBlock,
  encodeHeaderContent,
  formatAddress,
  formatBlockId,
  formatPublicKey,
  headerFromProtobuf,
  headerToProtobuf,
  parseHeaderContent,
  SignedBlockHeaderCodec,
  type Slot,
  signGenesisBlock,
  slotIndex,
} from '../../../core/index.ts'
import { encodeFilledBlock } from '../../chain-maker.ts'
import type { KnownOperation, TrackedOperation } from './known-operation.ts'

/** A block as the chain made it. */
export interface ChainBlock {
  readonly id: BlockIdText
  /** 33 bytes */
  readonly idBytes: Uint8Array
  readonly slot: Slot
  readonly slotIndex: number
  readonly creator: string
  readonly creatorKey: string
  readonly header: BlockHeader
  /** A SignedBlockHeader message, as a node encodes it. */
  readonly headerMessage: Uint8Array
  readonly operationIds: readonly string[]
  readonly operations: readonly KnownOperation[]
  /** Another block of its slot is on the chain. */
  readonly isRival: boolean
  /** A FilledBlock message. */
  encodeFilled(): Uint8Array
}

interface BlockFacts {
  readonly id: BlockIdText
  readonly idBytes: Uint8Array
  readonly header: BlockHeader
  readonly headerMessage: Uint8Array
  readonly creator: string
  readonly creatorKey: string
  readonly operations: readonly TrackedOperation[]
  readonly isRival: boolean
}

/** The chain's own side of a ChainBlock. */
export class TrackedBlock implements ChainBlock {
  readonly id: BlockIdText
  readonly idBytes: Uint8Array
  readonly slot: Slot
  readonly slotIndex: number
  readonly creator: string
  readonly creatorKey: string
  readonly header: BlockHeader
  readonly headerMessage: Uint8Array
  readonly operations: readonly TrackedOperation[]
  readonly operationIds: readonly string[]
  readonly isRival: boolean

  constructor(facts: BlockFacts) {
    this.id = facts.id
    this.idBytes = facts.idBytes
    this.header = facts.header
    this.headerMessage = facts.headerMessage
    this.slot = facts.header.slot
    this.slotIndex = slotIndex(facts.header.slot)
    this.creatorKey = facts.creatorKey
    this.creator = facts.creator
    this.operations = facts.operations
    this.operationIds = facts.operations.map(({ id }) => id)
    this.isRival = facts.isRival
  }

  /** Of a block that was made before. */
  static fromMessage(
    headerMessage: Uint8Array,
    operations: readonly TrackedOperation[],
    isRival: boolean,
  ): TrackedBlock {
    const { publicKey, content } = headerFromProtobuf(SignedBlockHeaderCodec.decode(headerMessage))
    const idBytes = computeBlockId(publicKey, encodeHeaderContent(content))
    return new TrackedBlock({
      id: formatBlockId(idBytes),
      idBytes,
      header: content,
      headerMessage,
      creatorKey: formatPublicKey(publicKey),
      creator: formatAddress(computeAddress(publicKey)),
      operations,
      isRival,
    })
  }

  encodeFilled(): Uint8Array {
    const operations = this.operations.map(({ idBytes, id, message, thread }) => ({
      id: idBytes,
      idText: id,
      message,
      thread,
    }))
    return encodeFilledBlock({ headerMessage: this.headerMessage, operations })
  }
}

/** The block that a thread begins with. */
export function makeGenesis(thread: number): TrackedBlock {
  const slot = { period: 0, thread }
  const genesis = computeGenesisBlock(slot)
  const message = headerToProtobuf({
    publicKey: genesis.publicKey,
    signature: signGenesisBlock(genesis, slot),
    content: parseHeaderContent(genesis.content),
  })
  return TrackedBlock.fromMessage(SignedBlockHeaderCodec.encode(message), [], false)
}
