import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { joinFilledBlock } from '../../archiver/verify-block.ts'
import {
  computeHeaderSignedHash,
  formatSignature,
  operationToProtobuf,
  parsePublicKey,
  parseSignature,
  SignedBlockHeaderCodec,
  type SignedBlockHeaderMessage,
  SignedOperationCodec,
  type SignedOperationMessage,
  toU64,
} from '../../core/index.ts'
import { type MadeBlock, type MadeOperation, makeKey } from '../../devnet/index.ts'

/** The same block, its header message told otherwise. */
export function retellHeader(
  block: MadeBlock,
  change: (header: SignedBlockHeaderMessage) => SignedBlockHeaderMessage,
): MadeBlock {
  return {
    ...block,
    headerMessage: SignedBlockHeaderCodec.encode(change(SignedBlockHeaderCodec.decode(block.headerMessage))),
  }
}

/** The same operation, its message told otherwise. */
export function retellOperation(
  operation: MadeOperation,
  change: (message: SignedOperationMessage) => SignedOperationMessage,
): MadeOperation {
  return { ...operation, message: SignedOperationCodec.encode(change(SignedOperationCodec.decode(operation.message))) }
}

/**
 * The true header, and for each operation a body of somebody else, signed by him over the true id: an ExecuteSC of kind 2,
 * whose bytes no id binds (docs/FORMAT.md, Not reproducible).
 *
 * @returns a FilledBlock message
 */
export function forgeBodies(block: MadeBlock, chainId: bigint): Uint8Array {
  const forger = makeKey('forger of bodies')
  const body = {
    kind: 'execute-sc',
    maxGas: 1n,
    maxCoinsNanoMas: 0n,
    bytecode: Uint8Array.of(1),
    datastore: [],
  } as const
  const operations = block.operations.map(({ id, idText }) => {
    const signed = { publicKey: forger.publicKey, signature: forger.sign(id.subarray(1)) }
    const content = { feeNanoMas: 7n, expirePeriod: 10n, body }
    const form = {
      ...operationToProtobuf(chainId, { ...signed, content }),
      secureHash: idText,
      serializedSize: toU64(200n),
    }
    return { operationId: idText, operation: SignedOperationCodec.encode(form) }
  })
  return tellFilledBlock(block, operations)
}

export function spoilSignature(text: string | undefined): string {
  const bytes = Uint8Array.from(parseSignature(text ?? ''))
  bytes[40] = (bytes[40] ?? 0) ^ 1
  return formatSignature(bytes)
}

/** A FilledBlock message that lists these operations and brings these bodies. */
export function tellFilledBlock(
  block: MadeBlock,
  operations: readonly { readonly operationId: string; readonly operation: Uint8Array | undefined }[],
): Uint8Array {
  return joinFilledBlock(block.headerMessage, operations)
}

/**
 * Another valid signature of the same key over the same hash: RFC 8032 with a nonce of our own in place of the derived
 * one, which no verifier can tell.
 *
 * @param keyText - what `makeKey` was given
 */
export function signOtherwise(keyText: string, hash: Uint8Array): Uint8Array {
  const seed = createHash('sha256').update(keyText).digest()
  const digest = createHash('sha512').update(seed).digest()
  const scalarBytes = Uint8Array.from(digest.subarray(0, 32))
  scalarBytes[0] = (scalarBytes[0] ?? 0) & 248
  scalarBytes[31] = ((scalarBytes[31] ?? 0) & 63) | 64
  const order = ed25519.Point.Fn.ORDER
  const scalar = fromLittleEndian(scalarBytes) % order
  const publicKey = ed25519.Point.BASE.multiply(scalar).toBytes()
  const nonce = fromLittleEndian(createHash('sha512').update('another nonce').update(hash).digest()) % order
  const commitment = ed25519.Point.BASE.multiply(nonce).toBytes()
  const challenge =
    fromLittleEndian(createHash('sha512').update(commitment).update(publicKey).update(hash).digest()) % order
  const response = toLittleEndian((nonce + challenge * scalar) % order)
  return Uint8Array.from([0, ...commitment, ...response])
}

/** Which of the keys named by `texts` has this public key. */
export function headerHash(block: MadeBlock): Uint8Array {
  return computeHeaderSignedHash(block.producer.publicKey, block.slot, block.idBytes.subarray(1))
}

export function publicKeyOf(operation: MadeOperation): Uint8Array {
  return parsePublicKey(SignedOperationCodec.decode(operation.message).contentCreatorPubKey ?? '')
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function toLittleEndian(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}
