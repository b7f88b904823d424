import { ByteReader, ByteWriter } from '../core/index.ts'
import { MAX_KEPT_BINDINGS } from './limits.ts'
import { PEER_ID_BYTES } from './messages/capabilities.ts'

const RECORD_VERSION = 1
const MAX_ADDRESS_CHARACTERS = 64

/** What has to be remembered of a node, so that nobody can say again what it said before. */
export interface KeptBinding {
  readonly address: string
  /** 38 bytes */
  readonly peerId: Uint8Array
  /** Of the last statement. */
  readonly sequence: bigint
}

/** @param bindings - at most `MAX_KEPT_BINDINGS` */
export function encodeBindings(bindings: readonly KeptBinding[]): Uint8Array {
  const writer = new ByteWriter(110 * (bindings.length + 1)).u8(RECORD_VERSION).varint(bindings.length)
  for (const { address, peerId, sequence } of bindings) writer.string(address).raw(peerId).u64(sequence)
  return writer.finish()
}

/** @throws ArchiveError CORE_BYTES_INVALID */
export function decodeBindings(bytes: Uint8Array): KeptBinding[] {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== RECORD_VERSION) throw reader.error(`bindings of version ${version}`)
  const count = reader.varintNumber(MAX_KEPT_BINDINGS)
  const bindings: KeptBinding[] = []
  for (let i = 0; i < count; i++) {
    const address = reader.string(MAX_ADDRESS_CHARACTERS)
    bindings.push({ address, peerId: reader.raw(PEER_ID_BYTES), sequence: reader.u64() })
  }
  reader.end()
  return bindings
}
