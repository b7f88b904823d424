import { ed25519 } from '@noble/curves/ed25519.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { computePublicKey, concatBytes } from '../../../core/index.ts'

const { Point } = ed25519

/**
 * A second signature of a text that verifies as the first one does: with a nonce of the signer's choice, which nobody can tell from
 * the one that Ed25519 prescribes.
 *
 * @returns 65 bytes
 */
export function signAgain(seed: Uint8Array, text: string): Uint8Array {
  const message = blake3(new TextEncoder().encode(text))
  const publicKey = computePublicKey(concatBytes(Uint8Array.of(0), seed)).subarray(1)
  const { scalar } = ed25519.utils.getExtendedPublicKey(seed)
  const nonce = 123_456_789n
  const r = Point.BASE.multiply(nonce).toBytes()
  const k = readScalar(sha512(concatBytes(r, publicKey, message)))
  const s = (nonce + k * scalar) % Point.Fn.ORDER
  return concatBytes(
    Uint8Array.of(0),
    r,
    Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 0xffn)),
  )
}

function readScalar(littleEndian: Uint8Array): bigint {
  return littleEndian.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
