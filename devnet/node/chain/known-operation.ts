import {
  type BlockIdText,
  computeAddress,
  computeAddressThread,
  type DatastoreEntry,
  formatAddress,
  formatOperationId,
  formatPublicKey,
  formatSignature,
  type Operation,
  operationFromProtobuf,
  operationToProtobuf,
  parseOperationId,
  SIGNED_OVERHEAD_BYTES,
  SignedOperationCodec,
  sortDatastore,
  toU64,
} from '../../../core/index.ts'
import {
  MAX_BLOCK_GAS,
  OPERATION_BASE_GAS,
  ROLL_PRICE_NANO_MAS,
  TEMPORARY_COMPILATION_GAS,
} from '../../engine/index.ts'

/** Where an operation was executed, in candidate or final state. */
export interface Inclusion {
  readonly slotIndex: number
  readonly block: BlockIdText
  readonly success: boolean
}

/** An operation that was accepted; what a chain knows of it changes with time. */
export interface KnownOperation {
  readonly id: string
  /** 33 bytes */
  readonly idBytes: Uint8Array
  /** With its datastore as a node keeps it: sorted by key, the last of equal keys. */
  readonly operation: Operation
  /** 65 and 33 bytes as texts. */
  readonly signature: string
  readonly publicKey: string
  readonly creator: string
  /** 34 bytes */
  readonly creatorBytes: Uint8Array
  readonly thread: number
  /** Slot of the clock when it came. */
  readonly receivedIndex: number
  /** Signed, as it came. */
  readonly sizeBytes: number
  /** A SignedOperation message. */
  readonly message: Uint8Array
  /** Blocks in storage that hold it, rivals too. */
  readonly inBlocks: readonly BlockIdText[]
  readonly isPooled: boolean
  /** Once it was executed. */
  readonly inclusion: Inclusion | undefined
}

export interface OperationFacts {
  readonly chainId: bigint
  readonly idBytes: Uint8Array
  readonly operation: Operation
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly sizeBytes: number
  readonly receivedIndex: number
}

/** The chain's own side of a KnownOperation. */
export class TrackedOperation implements KnownOperation {
  readonly id: string
  readonly idBytes: Uint8Array
  readonly operation: Operation
  readonly signature: string
  readonly publicKey: string
  readonly creator: string
  readonly creatorBytes: Uint8Array
  readonly thread: number
  readonly receivedIndex: number
  readonly sizeBytes: number
  readonly message: Uint8Array
  readonly inBlocks: BlockIdText[] = []
  /** Place in the order of acceptance. */
  sequence = -1
  /** Of the newest block on the chain that holds it. */
  includedIndex = -1
  isPooled = false
  inclusion: Inclusion | undefined

  constructor(facts: OperationFacts) {
    const { operation, publicKey, signature } = facts
    this.idBytes = facts.idBytes
    this.id = formatOperationId(facts.idBytes)
    this.operation = withNodeDatastore(operation)
    this.signature = formatSignature(signature)
    this.publicKey = formatPublicKey(publicKey)
    this.creatorBytes = computeAddress(publicKey)
    this.creator = formatAddress(this.creatorBytes)
    this.thread = computeAddressThread(this.creatorBytes)
    this.receivedIndex = facts.receivedIndex
    this.sizeBytes = facts.sizeBytes
    // Id and size are those of the bytes that came: a datastore that was not sorted has others now.
    this.message = SignedOperationCodec.encode({
      ...operationToProtobuf(facts.chainId, { publicKey, signature, content: this.operation }),
      secureHash: this.id,
      serializedSize: toU64(BigInt(facts.sizeBytes)),
    })
  }

  /** Of the message of an operation that was accepted before. */
  static fromMessage(chainId: bigint, message: Uint8Array, receivedIndex: number): TrackedOperation {
    const decoded = SignedOperationCodec.decode(message)
    const { publicKey, signature, content, serializedSizeBytes } = operationFromProtobuf(decoded)
    const idBytes = parseOperationId(decoded.secureHash ?? '')
    return new TrackedOperation({
      chainId,
      idBytes,
      operation: content,
      publicKey,
      signature,
      sizeBytes: serializedSizeBytes,
      receivedIndex,
    })
  }
}

/** Bytes that a signed operation takes of a block. */
export function computeOperationSize(content: Uint8Array): number {
  return content.length + SIGNED_OVERHEAD_BYTES
}

/** Gas that an operation takes of a block, whatever it uses. */
export function computeBlockGas({ body }: Operation): bigint {
  const base = BigInt(OPERATION_BASE_GAS)
  if (body.kind === 'call-sc') return body.maxGas + base
  if (body.kind === 'execute-sc') return body.maxGas + base + BigInt(TEMPORARY_COMPILATION_GAS)
  return base
}

/** nanoMAS that an operation takes of its sender at most, with its fee. */
export function computeMaxSpending({ feeNanoMas, body }: Operation): bigint {
  switch (body.kind) {
    case 'transaction':
      return feeNanoMas + body.amountNanoMas
    case 'roll-buy':
      return feeNanoMas + body.rollCount * ROLL_PRICE_NANO_MAS
    case 'roll-sell':
      return feeNanoMas
    case 'execute-sc':
      return feeNanoMas + body.maxCoinsNanoMas
    case 'call-sc':
      return feeNanoMas + body.coinsNanoMas
  }
}

export const BLOCK_GAS = BigInt(MAX_BLOCK_GAS)

function withNodeDatastore(operation: Operation): Operation {
  const { body } = operation
  if (body.kind !== 'execute-sc') return operation
  const datastore: readonly DatastoreEntry[] = sortDatastore(body.datastore)
  return { ...operation, body: { ...body, datastore } }
}
