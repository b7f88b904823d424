import { ed25519 } from '@noble/curves/ed25519.js'
import { ed25519Verify } from '#crypto'

/**
 * Whether Massa may have accepted this signature.
 *
 * The node checks single signatures strictly and batches by ZIP-215, which lets a few more through, so a block that
 * fails the strict rule can be final (design: node-feed.md). Both rules are tried, the quick one first.
 *
 * @param publicKey - 33 bytes; @param signature - 65 bytes; @param hash - the 32 signed bytes
 */
export function verifySignature(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  const key = publicKey.subarray(1)
  const bytes = signature.subarray(1)
  return ed25519Verify(key, hash, bytes) || verifyZip215(key, hash, bytes)
}

/** Ed25519 as ZIP-215: cofactored, S < L, any encoding of points. */
export function verifyZip215(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: true })
  } catch {
    return false
  }
}
