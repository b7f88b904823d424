import type { BlockRecord, RecordedOperation } from './block-record.ts'
import { SEAL_BYTES } from './block-record.ts'
import type { BlockSeals } from './body.ts'
import { concatBytes, toHex } from './bytes.ts'
import { formatOperationId } from './massa/atoms.ts'
import { parseOperationContent } from './massa/operation.ts'
import { headerToProtobuf, operationToProtobuf } from './massa/protobuf-form.ts'
import { RawFilledBlockCodec, SignedBlockHeaderCodec, SignedOperationCodec, toU64 } from './massa/protobuf-schema.ts'

/**
 * A FilledBlock message of an archived block, as a node would send it; each operation stands at its first place only.
 *
 * @param seals - of this block, 64 bytes each
 */
export function restoreFilledBlock(chainId: bigint, record: BlockRecord, seals: BlockSeals): Uint8Array {
  const { publicKey, header } = record
  const signed = headerToProtobuf({ publicKey, signature: signatureAt(seals, 0), content: header })
  const operations = new Map(
    record.operations.map((operation, i) => [
      toHex(operation.id),
      encodeOperation(chainId, operation, signatureAt(seals, i + 1)),
    ]),
  )
  return RawFilledBlockCodec.encode({
    header: SignedBlockHeaderCodec.encode(signed),
    operations: record.operationIds.map((id) => {
      const name = toHex(id)
      const operation = operations.get(name)
      operations.delete(name)
      return { operationId: formatOperationId(id), ...(operation === undefined ? {} : { operation }) }
    }),
  })
}

function encodeOperation(chainId: bigint, operation: RecordedOperation, signature: Uint8Array): Uint8Array {
  const { publicKey, id, serializedSizeBytes } = operation
  const message = operationToProtobuf(chainId, {
    publicKey,
    signature,
    content: parseOperationContent(operation.content),
  })
  // What was signed of such an operation is not here: its size and its id are.
  const asSigned = serializedSizeBytes === undefined ? {} : { serializedSize: toU64(BigInt(serializedSizeBytes)) }
  return SignedOperationCodec.encode({ ...message, ...asSigned, secureHash: formatOperationId(id) })
}

/** With the version byte that SEALS leave out. */
function signatureAt(seals: BlockSeals, index: number): Uint8Array {
  return concatBytes(Uint8Array.of(0), seals.subarray(index * SEAL_BYTES, (index + 1) * SEAL_BYTES))
}
