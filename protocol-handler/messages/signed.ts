import { sha256 } from '#crypto'
import {
  type ByteReader,
  ByteWriter,
  PUBLIC_KEY_BYTES,
  readVersioned,
  SIGNATURE_BYTES,
  type SignatureArgument,
  toHex,
} from '../../core/index.ts'

/** 33-byte public key, 65-byte signature, as Massa writes them: what a Massa key has signed ends in both. */
export const SIGNATURE_FIELD_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES

export function writeSignature(writer: ByteWriter, { publicKey, signature }: SignatureArgument): void {
  writer.raw(publicKey).raw(signature)
}

export function readSignature(reader: ByteReader): SignatureArgument {
  return { publicKey: readVersioned(reader, PUBLIC_KEY_BYTES), signature: readVersioned(reader, SIGNATURE_BYTES) }
}

/** What the Massa key signs for a message: a text, so that any wallet can. `write` gives all that it covers. */
export function computeSignedText(name: string, write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(1024)
  write(writer)
  return `massa-storage/${name}/1:${toHex(sha256(writer.finish()))}`
}
