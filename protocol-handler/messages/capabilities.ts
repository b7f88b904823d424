import {
  type ByteReader,
  type ByteWriter,
  computeAddress,
  formatAddress,
  type Network,
  type Period,
  PUBLIC_KEY_BYTES,
  type SignatureArgument,
  signText,
  verifyText,
} from '../../core/index.ts'
import { MAX_LISTEN_ADDRESS_BYTES, MAX_LISTEN_ADDRESSES } from '../limits.ts'
import { readNetwork, readPeriod, writeNetwork, writePeriod } from './fields.ts'
import { computeSignedText, readSignature, SIGNATURE_FIELD_BYTES, writeSignature } from './signed.ts'
import { wireCodec } from './wire-codec.ts'

/** A PeerId of an Ed25519 key: identity multihash (00 24) of its protobuf form (08 01 12 20 and 32 bytes). */
export const PEER_ID_BYTES = 38
const PEER_ID_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20] as const
const FIXED_BYTES = 1 + 16 + PEER_ID_BYTES + 6 * 8 + 1

/**
 * What a node says of itself, and the binding of its PeerId to its Massa address: the seed's `StorageCapabilities`.
 *
 * Ids of stored chunks are not listed but counted: 10^8 of them fit into no message. `/have/1` tells which.
 */
export interface Capabilities {
  readonly network: Network
  /** 38 bytes */
  readonly peerId: Uint8Array
  /** Grows with every statement of this address: an older one is ignored. */
  readonly sequence: bigint
  readonly allocatedGb: bigint
  readonly storedChunks: bigint
  /** 0 = keeps for ever. */
  readonly retentionPeriods: bigint
  /** Archived periods [first, end); equal when there are none. */
  readonly firstPeriod: Period
  readonly endPeriod: Period
  /** Multiaddr texts, printable ASCII. */
  readonly listenAddresses: readonly string[]
}

export interface SignedCapabilities extends Capabilities {
  /** By the Massa key of the node: its address is computed from it. */
  readonly signature: SignatureArgument
}

export const capabilitiesCodec = wireCodec<SignedCapabilities>({
  name: 'StorageCapabilities',
  maxBytes: FIXED_BYTES + MAX_LISTEN_ADDRESSES * (2 + MAX_LISTEN_ADDRESS_BYTES) + SIGNATURE_FIELD_BYTES,
  write: (writer, message) => {
    writeCapabilities(writer, message)
    writeSignature(writer, message.signature)
  },
  read: (reader) => ({ ...readCapabilities(reader), signature: readSignature(reader) }),
})

/** The Massa address that signed, whether or not the signature verifies. */
export function readSigner({ signature }: Pick<SignedCapabilities, 'signature'>): string {
  return formatAddress(computeAddress(signature.publicKey))
}

/** The Massa address in whose name a message says it is, before it is read; undefined where there is no place for one. */
export function peekSigner(bytes: Uint8Array): string | undefined {
  const at = bytes.length - SIGNATURE_FIELD_BYTES
  return at < 0 ? undefined : formatAddress(computeAddress(bytes.subarray(at, at + PUBLIC_KEY_BYTES)))
}

/** @param seed - 32-byte secret of the Massa key */
export function signCapabilities(seed: Uint8Array, capabilities: Capabilities): SignedCapabilities {
  return { ...capabilities, signature: signText(seed, computeCapabilitiesText(capabilities)) }
}

export function verifyCapabilities(capabilities: SignedCapabilities): boolean {
  return verifyText(computeCapabilitiesText(capabilities), capabilities.signature)
}

function computeCapabilitiesText(capabilities: Capabilities): string {
  return computeSignedText('capabilities', (writer) => writeCapabilities(writer, capabilities))
}

function writeCapabilities(writer: ByteWriter, message: Capabilities): void {
  writeNetwork(writer, message.network)
  writer.raw(message.peerId).u64(message.sequence)
  writer.u64(message.allocatedGb).u64(message.storedChunks).u64(message.retentionPeriods)
  writePeriod(writer, message.firstPeriod)
  writePeriod(writer, message.endPeriod)
  writer.u8(message.listenAddresses.length)
  for (const address of message.listenAddresses) writer.bytes(new TextEncoder().encode(address))
}

function readCapabilities(reader: ByteReader): Capabilities {
  const network = readNetwork(reader)
  const peerId = reader.raw(PEER_ID_BYTES)
  if (PEER_ID_PREFIX.some((byte, i) => peerId[i] !== byte)) throw reader.error('the PeerId is not of an Ed25519 key')
  const sequence = reader.u64()
  const allocatedGb = reader.u64()
  const storedChunks = reader.u64()
  const retentionPeriods = reader.u64()
  const firstPeriod = readPeriod(reader)
  const endPeriod = readPeriod(reader)
  if (endPeriod < firstPeriod) throw reader.error(`periods ${firstPeriod} to ${endPeriod}`)
  const count = reader.u8()
  if (count > MAX_LISTEN_ADDRESSES) throw reader.error(`${count} listen addresses`)
  const listenAddresses = Array.from({ length: count }, () => readListenAddress(reader))
  return {
    network,
    peerId,
    sequence,
    allocatedGb,
    storedChunks,
    retentionPeriods,
    firstPeriod,
    endPeriod,
    listenAddresses,
  }
}

function readListenAddress(reader: ByteReader): string {
  const text = reader.utf8(reader.sized(MAX_LISTEN_ADDRESS_BYTES))
  if (!/^[\x21-\x7e]+$/.test(text)) throw reader.error('a listen address is not printable ASCII')
  return text
}
