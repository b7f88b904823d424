import { blake3 } from '#crypto'
import { ByteReader, ByteWriter } from '../codec.ts'
import type { Slot } from '../units.ts'
import { ID_BYTES, readSlot, readVersioned, writeSlot, writeSlotKey } from './atoms.ts'

/** Endorsements of one slot; each has an index below it, and its own (facts: massa-node 2.2). */
export const MAX_ENDORSEMENTS = 16

/** What an endorser signs: that it saw `endorsedBlock` as the best parent at `slot` (facts: massa-node 2.2). */
export interface Endorsement {
  readonly slot: Slot
  readonly index: number
  /** 33 bytes */
  readonly endorsedBlock: Uint8Array
}

/** As a header carries it: slot and endorsed block follow from the header. */
export interface HeaderEndorsement {
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
  readonly index: number
}

// What is only hashed is put together here: 16 endorsements a block would take 50 fresh arrays.
const scratch = new ByteWriter(256)

export function encodeEndorsementContent(endorsement: Endorsement): Uint8Array {
  return writeContent(new ByteWriter(48), endorsement).finish()
}

function writeContent(writer: ByteWriter, endorsement: Endorsement): ByteWriter {
  writeSlot(writer, endorsement.slot)
  return writer.varint(endorsement.index).raw(endorsement.endorsedBlock)
}

export function parseEndorsementContent(bytes: Uint8Array): Endorsement {
  const reader = new ByteReader(bytes)
  const slot = readSlot(reader)
  const index = reader.varintNumber(MAX_ENDORSEMENTS - 1)
  const endorsedBlock = readVersioned(reader, ID_BYTES)
  reader.end()
  return { slot, index, endorsedBlock }
}

/** Hash part of the endorsement id, 32 bytes. @param content - canonical, or what it is the encoding of */
export function computeEndorsementHash(publicKey: Uint8Array, content: Uint8Array | Endorsement): Uint8Array {
  const writer = scratch.reset().raw(publicKey)
  return blake3((content instanceof Uint8Array ? writer.raw(content) : writeContent(writer, content)).written())
}

/** The 32 bytes that the endorser signs. The index is little endian here, alone in all of Massa. */
export function computeEndorsementSignedHash(
  publicKey: Uint8Array,
  endorsement: Pick<Endorsement, 'slot' | 'index'>,
  idHash: Uint8Array,
): Uint8Array {
  const writer = scratch.reset().raw(publicKey)
  writeSlotKey(writer, endorsement.slot)
  const { index } = endorsement
  writer
    .u8(index & 0xff)
    .u8((index >>> 8) & 0xff)
    .u8((index >>> 16) & 0xff)
    .u8(index >>> 24)
  return blake3(writer.raw(idHash).written())
}
