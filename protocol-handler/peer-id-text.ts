import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'

/** Identity multihash: its code and the length of what follows. */
const MULTIHASH_HEAD_BYTES = 2

/** @param peerId - 38 bytes, of an Ed25519 key @returns text as in multiaddrs, `12D3KooW...` */
export function formatPeerId(peerId: Uint8Array): string {
  return peerIdFromPublicKey(publicKeyFromProtobuf(peerId.subarray(MULTIHASH_HEAD_BYTES))).toString()
}

export function isPeerId(text: string): boolean {
  try {
    return peerIdFromString(text).type === 'Ed25519'
  } catch {
    return false
  }
}

/** Peers are asked for by their texts all the time, and reading one takes 20 us. */
const MAX_KNOWN = 4_096
const known = new Map<string, Uint8Array>()

/** @param text - of a PeerId, such as libp2p gives it @returns 38 bytes of an Ed25519 key's, not to be written to */
export function parsePeerId(text: string): Uint8Array {
  const bytes = known.get(text)
  if (bytes) return bytes
  if (known.size >= MAX_KNOWN) known.clear()
  const parsed = peerIdFromString(text).toMultihash().bytes
  known.set(text, parsed)
  return parsed
}
