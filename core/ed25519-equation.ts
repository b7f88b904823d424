import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'

const L = 2n ** 252n + 27742317777372353535851937790883648493n

/**
 * Ed25519 as a massa-node verifies single signatures: S < L, cofactorless, any key that is a point.
 *
 * noble's own `verify` is cofactored, hence the equation spelled out: encode(S*B - k*A) must equal R byte for byte.
 *
 * @param publicKey - 32 bytes
 * @param signature - 64 bytes
 * @returns false for anything that does not verify, malformed input included; never throws
 */
export function verifyByEquation(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
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

function readScalar(littleEndian: Uint8Array): bigint {
  let value = 0n
  for (let i = littleEndian.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(littleEndian[i] ?? 0)
  return value
}
