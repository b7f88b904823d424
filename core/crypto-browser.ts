import { ed25519 } from '@noble/curves/ed25519.js'
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { shake128 as nobleShake128 } from '@noble/hashes/sha3.js'

export { verifyByEquation as ed25519Verify } from './ed25519-equation.ts'

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes)
}

/** The same, written to 32 bytes of `target`, which may be those that are hashed. */
export function sha256Into(bytes: Uint8Array, target: Uint8Array, at: number): void {
  target.set(nobleSha256(bytes), at)
}

/** BLAKE3-256, 32 bytes. */
export function blake3(bytes: Uint8Array): Uint8Array {
  return nobleBlake3(bytes)
}

/** SHAKE128, `lengthBytes` of output. */
export function shake128(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  return nobleShake128(bytes, { dkLen: lengthBytes })
}

/** @param seed - 32-byte secret; @returns 64-byte signature */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed)
}

/** @param seed - 32-byte secret; @returns 32-byte public key */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed)
}
