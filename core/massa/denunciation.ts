import type { ByteReader, ByteWriter } from '../codec.ts'
import type { Slot } from '../units.ts'
import { HASH_BYTES, PUBLIC_KEY_BYTES, readSlot, readVersioned, SIGNATURE_BYTES, writeSlot } from './atoms.ts'
import { MAX_ENDORSEMENTS } from './endorsement.ts'

/** Proof that a staker signed two headers, or two endorsements of one index, for one slot (facts: massa-node 2.3). */
export interface Denunciation {
  readonly kind: 'block-header' | 'endorsement'
  readonly publicKey: Uint8Array
  readonly slot: Slot
  /** Endorsement index; absent for block headers. */
  readonly index?: number
  readonly hash1: Uint8Array
  readonly hash2: Uint8Array
  readonly signature1: Uint8Array
  readonly signature2: Uint8Array
}

export function writeDenunciation(writer: ByteWriter, denunciation: Denunciation): void {
  writer.varint(denunciation.kind === 'block-header' ? 0 : 1).raw(denunciation.publicKey)
  writeSlot(writer, denunciation.slot)
  if (denunciation.index !== undefined) writer.varint(denunciation.index)
  writer.raw(denunciation.hash1).raw(denunciation.hash2).raw(denunciation.signature1).raw(denunciation.signature2)
}

export function readDenunciation(reader: ByteReader): Denunciation {
  const kind = reader.varintNumber(0xffff_ffff)
  if (kind > 1) throw reader.error(`denunciation kind ${kind} is not known`)
  const publicKey = readVersioned(reader, PUBLIC_KEY_BYTES)
  const slot = readSlot(reader)
  const index = kind === 1 ? reader.varintNumber(MAX_ENDORSEMENTS - 1) : undefined
  return {
    kind: kind === 0 ? 'block-header' : 'endorsement',
    publicKey,
    slot,
    ...(index === undefined ? {} : { index }),
    hash1: reader.raw(HASH_BYTES),
    hash2: reader.raw(HASH_BYTES),
    signature1: readVersioned(reader, SIGNATURE_BYTES),
    signature2: readVersioned(reader, SIGNATURE_BYTES),
  }
}
