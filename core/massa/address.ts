import { blake3, ed25519PublicKey } from '#crypto'
import { concatBytes } from '../bytes.ts'
import { ADDRESS_BYTES } from './atoms.ts'

/** The user address of a 33-byte public key, 34 bytes (facts: massa-node 2.1). */
export function computeAddress(publicKey: Uint8Array): Uint8Array {
  const address = new Uint8Array(ADDRESS_BYTES)
  address.set(blake3(publicKey), 2)
  return address
}

/** The 33-byte public key of a 33-byte secret key of version 0; their first byte is the version. */
export function computePublicKey(secretKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0), ed25519PublicKey(secretKey.subarray(1)))
}

/** The thread that may include operations of this address; contracts count as thread 0. */
export function computeAddressThread(address: Uint8Array): number {
  return address[0] === 0 ? (address[2] ?? 0) >> 3 : 0
}
