import {
  ByteWriter,
  fromU64,
  ID_BYTES,
  SIGNED_OVERHEAD_BYTES,
  SignedBlockHeaderCodec,
  toU64,
} from '../../core/index.ts'
import { SignedBlockMessageCodec } from './messages.ts'

/** The SignedBlock of NewBlocks. @param headerMessage - a SignedBlockHeader message */
export function encodeSignedBlock(headerMessage: Uint8Array, operationIds: readonly string[]): Uint8Array {
  const header = SignedBlockHeaderCodec.decode(headerMessage)
  const countBytes = new ByteWriter().varint(operationIds.length).finish().length
  const bodyBytes = countBytes + operationIds.length * ID_BYTES
  return SignedBlockMessageCodec.encode({
    content: { header: headerMessage, operations: operationIds },
    signature: header.signature ?? '',
    contentCreatorPubKey: header.contentCreatorPubKey ?? '',
    contentCreatorAddress: header.contentCreatorAddress ?? '',
    secureHash: header.secureHash ?? '',
    // Of the signed header and the list of ids, and once more of key and signature.
    serializedSize: toU64(fromU64(header.serializedSize) + BigInt(bodyBytes + SIGNED_OVERHEAD_BYTES)),
  })
}
