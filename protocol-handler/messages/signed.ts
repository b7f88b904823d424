import {
  type ByteReader,
  type ByteWriter,
  PUBLIC_KEY_BYTES,
  readVersioned,
  SIGNATURE_BYTES,
  type SignatureArgument,
} from '../../core/index.ts'

/** 33-byte public key, 65-byte signature, as Massa writes them: what a Massa key has signed ends in both. */
export const SIGNATURE_FIELD_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES

export function writeSignature(writer: ByteWriter, { publicKey, signature }: SignatureArgument): void {
  writer.raw(publicKey).raw(signature)
}

export function readSignature(reader: ByteReader): SignatureArgument {
  return { publicKey: readVersioned(reader, PUBLIC_KEY_BYTES), signature: readVersioned(reader, SIGNATURE_BYTES) }
}
