import { blake3 } from '#crypto'
import { concatBytes } from '../bytes.ts'
import { ByteReader, ByteWriter } from '../codec.ts'
import { type Slot, THREAD_COUNT } from '../units.ts'
import {
  HASH_BYTES,
  ID_BYTES,
  PUBLIC_KEY_BYTES,
  readSlot,
  readVersioned,
  SIGNATURE_BYTES,
  writeSlot,
  writeSlotKey,
} from './atoms.ts'
import { type Denunciation, readDenunciation, writeDenunciation } from './denunciation.ts'
import { type HeaderEndorsement, MAX_ENDORSEMENTS } from './endorsement.ts'

/** Limit of the node (facts: massa-node 2.3). */
export const MAX_DENUNCIATIONS = 128
/** Network version 2 changes what is signed (facts: massa-node 2.3): a newer header waits in quarantine. */
export const MAX_HEADER_VERSION = 1

export interface BlockHeader {
  readonly currentVersion: number
  readonly announcedVersion?: number
  readonly slot: Slot
  /** 32 ids in thread order; none for genesis. */
  readonly parents: readonly Uint8Array[]
  /** 32 bytes */
  readonly operationsHash: Uint8Array
  readonly endorsements: readonly HeaderEndorsement[]
  readonly denunciations: readonly Denunciation[]
}

/** Canonical header content (facts: massa-node 2.3), without public key and signature. */
export function encodeHeaderContent(header: BlockHeader): Uint8Array {
  const writer = new ByteWriter(3072).varint(header.currentVersion)
  if (header.announcedVersion === undefined) writer.u8(0x30)
  else writer.u8(0x31).varint(header.announcedVersion)
  writeSlot(writer, header.slot)
  writer.u8(header.parents.length === 0 ? 0 : 1)
  for (const parent of header.parents) writer.raw(parent)
  writer.raw(header.operationsHash).varint(header.endorsements.length)
  for (const endorsement of header.endorsements) {
    writer.raw(endorsement.signature).raw(endorsement.publicKey).varint(endorsement.index)
  }
  writer.varint(header.denunciations.length)
  for (const denunciation of header.denunciations) writeDenunciation(writer, denunciation)
  return writer.finish()
}

export function parseHeaderContent(bytes: Uint8Array): BlockHeader {
  const reader = new ByteReader(bytes)
  const header = readHeaderContent(reader)
  reader.end()
  return header
}

/** Reads a header content that is followed by something else. */
export function readHeaderContent(reader: ByteReader): BlockHeader {
  const currentVersion = reader.varintNumber(0xffff_ffff)
  const hasAnnounced = reader.u8()
  if (hasAnnounced !== 0x30 && hasAnnounced !== 0x31) throw reader.error('option byte is neither 0x30 nor 0x31')
  const announcedVersion = hasAnnounced === 0x31 ? reader.varintNumber(0xffff_ffff) : undefined
  const slot = readSlot(reader)
  const hasParents = reader.u8()
  if (hasParents > 1) throw reader.error('parent flag is neither 0 nor 1')
  const parents: Uint8Array[] = []
  for (let i = 0; i < hasParents * THREAD_COUNT; i++) parents.push(readVersioned(reader, ID_BYTES))
  const operationsHash = reader.raw(HASH_BYTES)
  const endorsements: HeaderEndorsement[] = []
  const endorsementCount = reader.varintNumber(MAX_ENDORSEMENTS)
  for (let i = 0; i < endorsementCount; i++) {
    const signature = readVersioned(reader, SIGNATURE_BYTES)
    const publicKey = readVersioned(reader, PUBLIC_KEY_BYTES)
    const index = reader.varintNumber(MAX_ENDORSEMENTS - 1)
    if (endorsements.some((other) => other.index === index)) throw reader.error(`endorsement ${index} stands twice`)
    endorsements.push({ signature, publicKey, index })
  }
  if (parents.length === 0 && endorsements.length > 0) throw reader.error('endorsements of no block')
  const denunciations: Denunciation[] = []
  const denunciationCount = reader.varintNumber(MAX_DENUNCIATIONS)
  for (let i = 0; i < denunciationCount; i++) denunciations.push(readDenunciation(reader))
  return {
    currentVersion,
    ...(announcedVersion === undefined ? {} : { announcedVersion }),
    slot,
    parents,
    operationsHash,
    endorsements,
    denunciations,
  }
}

/** Hash part of the block id: BLAKE3(public key || content), 32 bytes. */
export function computeHeaderHash(publicKey: Uint8Array, content: Uint8Array): Uint8Array {
  return blake3(concatBytes(publicKey, content))
}

/** The 33-byte block id. */
export function computeBlockId(publicKey: Uint8Array, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0), computeHeaderHash(publicKey, content))
}

/** The 32 bytes that the block producer signs, for header versions up to MAX_HEADER_VERSION. */
export function computeHeaderSignedHash(publicKey: Uint8Array, slot: Slot, headerHash: Uint8Array): Uint8Array {
  const writer = new ByteWriter(80).raw(publicKey)
  writeSlotKey(writer, slot)
  return blake3(writer.raw(headerHash).finish())
}

/** BLAKE3 over, for each operation id in order, u64 33 || id. A hash of a list, not a tree. */
export function computeOperationsHash(operationIds: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(operationIds.length * 41)
  for (const id of operationIds) writer.u64(BigInt(ID_BYTES)).raw(id)
  return blake3(writer.finish())
}
