import { decodeBase58Check, encodeBase58Check } from '../base58check.ts'
import type { ByteReader, ByteWriter } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import { type Slot, THREAD_COUNT } from '../units.ts'

/*
 * Massa's atoms (facts: massa-node 2.1). In memory they are their binary form, version byte included:
 * public key 33 bytes, signature 65, block, operation and endorsement id 33, address 34, hash 32.
 * Every version is 0 today.
 */

export const PUBLIC_KEY_BYTES = 33
export const SIGNATURE_BYTES = 65
export const ID_BYTES = 33
export const ADDRESS_BYTES = 34
export const HASH_BYTES = 32

export type BlockIdText = string & { readonly __blockId: unique symbol }
export type OperationIdText = string & { readonly __operationId: unique symbol }

export function formatBlockId(id: Uint8Array): BlockIdText {
  return `B${encodeBase58Check(id)}` as BlockIdText
}

export function parseBlockId(text: string): Uint8Array {
  return parsePrefixed(text, 'B', ID_BYTES)
}

export function formatOperationId(id: Uint8Array): OperationIdText {
  return `O${encodeBase58Check(id)}` as OperationIdText
}

export function parseOperationId(text: string): Uint8Array {
  return parsePrefixed(text, 'O', ID_BYTES)
}

export function formatEndorsementId(id: Uint8Array): string {
  return `E${encodeBase58Check(id)}`
}

export function parseEndorsementId(text: string): Uint8Array {
  return parsePrefixed(text, 'E', ID_BYTES)
}

export function formatPublicKey(key: Uint8Array): string {
  return `P${encodeBase58Check(key)}`
}

export function parsePublicKey(text: string): Uint8Array {
  return parsePrefixed(text, 'P', PUBLIC_KEY_BYTES)
}

/** A secret key text gives its 33 bytes: version, then the 32-byte seed. */
export function parseSecretKey(text: string): Uint8Array {
  return parsePrefixed(text, 'S', PUBLIC_KEY_BYTES)
}

export function formatSecretKey(key: Uint8Array): string {
  return `S${encodeBase58Check(key)}`
}

export function formatSignature(signature: Uint8Array): string {
  return encodeBase58Check(signature)
}

export function parseSignature(text: string): Uint8Array {
  return versionZero(decodeBase58Check(text, SIGNATURE_BYTES), text)
}

export function formatHash(hash: Uint8Array): string {
  return encodeBase58Check(hash)
}

export function parseHash(text: string): Uint8Array {
  return decodeBase58Check(text, HASH_BYTES)
}

/** `AU...` for users, `AS...` for contracts: the kind is in the letters, the rest is version and hash. */
export function formatAddress(address: Uint8Array): string {
  return (address[0] === 0 ? 'AU' : 'AS') + encodeBase58Check(address.subarray(1))
}

export function parseAddress(text: string): Uint8Array {
  const kind = text.startsWith('AU') ? 0 : text.startsWith('AS') ? 1 : undefined
  if (kind === undefined) throw badPrefix(text, 'AU or AS')
  const address = new Uint8Array(ADDRESS_BYTES)
  address[0] = kind
  address.set(versionZero(decodeBase58Check(text.slice(2), ADDRESS_BYTES - 1, text.slice(0, 2)), text), 1)
  return address
}

export function writeSlot(writer: ByteWriter, slot: Slot): void {
  writer.varint(slot.period).u8(slot.thread)
}

export function readSlot(reader: ByteReader): Slot {
  const period = reader.varintNumber(Number.MAX_SAFE_INTEGER)
  const thread = reader.u8()
  if (thread >= THREAD_COUNT) throw reader.error(`thread ${thread} does not exist`)
  return { period, thread }
}

/** u64 BE period || u8 thread, as in signatures and sort keys. */
export function writeSlotKey(writer: ByteWriter, slot: Slot): void {
  writer.u64(BigInt(slot.period)).u8(slot.thread)
}

/** Reads an id, key or signature and refuses a version other than 0. */
export function readVersioned(reader: ByteReader, lengthBytes: number): Uint8Array {
  const bytes = reader.raw(lengthBytes)
  if (bytes[0] !== 0) throw reader.error(`version ${bytes[0]} is not known`)
  return bytes
}

export function readAddress(reader: ByteReader): Uint8Array {
  const address = reader.raw(ADDRESS_BYTES)
  if ((address[0] ?? 0) > 1) throw reader.error(`address kind ${address[0]} is not known`)
  if (address[1] !== 0) throw reader.error(`address version ${address[1]} is not known`)
  return address
}

function parsePrefixed(text: string, prefix: string, lengthBytes: number): Uint8Array {
  if (!text.startsWith(prefix)) throw badPrefix(text, prefix)
  return versionZero(decodeBase58Check(text.slice(1), lengthBytes, prefix), text)
}

function versionZero(bytes: Uint8Array, text: string): Uint8Array {
  if (bytes[0] !== 0) throw new ArchiveError('CORE_BASE58_INVALID', `'${text}' has a version other than 0`, { text })
  return bytes
}

function badPrefix(text: string, prefix: string): ArchiveError {
  return new ArchiveError('CORE_BASE58_INVALID', `'${text.slice(0, 80)}' does not start with ${prefix}`)
}
