import { ed25519 } from '@noble/curves/ed25519.js'
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js'
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2.js'
import { shake128 as nobleShake128 } from '@noble/hashes/sha3.js'

const L = 2n ** 252n + 27742317777372353535851937790883648493n

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

/**
 * Ed25519 as a massa-node verifies single signatures: S < L, cofactorless.
 *
 * noble's own `verify` is cofactored, hence the equation spelled out: encode(S*B - k*A) must equal R byte for byte.
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    const s = readScalar(signature.subarray(32))
    if (s >= L) return false
    const key = ed25519.Point.fromBytes(publicKey, true)
    const challenge = new Uint8Array(64 + message.length)
    challenge.set(signature.subarray(0, 32))
    challenge.set(publicKey, 32)
    challenge.set(message, 64)
    const k = readScalar(sha512(challenge)) % L
    const left = s === 0n ? ed25519.Point.ZERO : ed25519.Point.BASE.multiplyUnsafe(s)
    const right = k === 0n ? ed25519.Point.ZERO : key.multiplyUnsafe(k)
    const expected = left.subtract(right).toBytes()
    return expected.every((byte, i) => byte === signature[i])
  } catch {
    return false
  }
}

/** @param seed - 32-byte secret; @returns 64-byte signature */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, seed)
}

/** @param seed - 32-byte secret; @returns 32-byte public key */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed)
}

function readScalar(littleEndian: Uint8Array): bigint {
  let value = 0n
  for (let i = littleEndian.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(littleEndian[i] ?? 0)
  return value
}
