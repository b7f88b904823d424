import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { equalBytes } from './bytes.ts'
import { verifyByEquation } from './ed25519-equation.ts'

export { sha256, sha256Into } from './sha256-node.ts'

// Required, not imported: Node parses a whole CommonJS package for the names of an import, here 40 ms in every thread.
const { createBLAKE3 } = createRequire(import.meta.url)('hash-wasm') as typeof import('hash-wasm')

// One hasher is kept: creating it costs more than hashing a header. hash-wasm's BLAKE3 is 9x noble's on 100 bytes.
const blake3Hasher = await createBLAKE3()

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Importing a key costs a tenth of a verification, and a few hundred stakers sign nearly everything. */
const KEY_CACHE_ENTRIES = 4096
const publicKeys = new Map<string, KeyObject>()
// Natively a small array is read from a copy outside of the heap, unless it has one already; hashes are new each time.
const signedHash = new Uint8Array(32)
/** Importing takes milliseconds, and the 32 genesis blocks are signed in a row. */
let lastPrivateKey: { readonly seed: Uint8Array; readonly key: KeyObject } | undefined

/** y of the points of small order in all their encodings, little endian without the sign bit, in hex. */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** BLAKE3-256, 32 bytes. */
export function blake3(bytes: Uint8Array): Uint8Array {
  return blake3Hasher.init().update(bytes).digest('binary')
}

/** SHAKE128, `lengthBytes` of output. */
export function shake128(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  return createHash('shake128', { outputLength: lengthBytes }).update(bytes).digest()
}

/**
 * Ed25519 as a massa-node verifies single signatures: S < L, cofactorless.
 *
 * @param publicKey - 32 bytes
 * @param signature - 64 bytes
 * @returns false for anything that does not verify, malformed input included; never throws
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  if (verifyNatively(publicKey, message, signature)) return true
  // OpenSSL refuses such a key from 3.5 on (Node 24), a massa-node does not: one chain, one archive, whatever the Node.
  return isOfSmallOrder(publicKey) && verifyByEquation(publicKey, message, signature)
}

function verifyNatively(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (message.length !== signedHash.length) return verify(null, message, importPublicKey(publicKey), signature)
    signedHash.set(message)
    return verify(null, signedHash, importPublicKey(publicKey), signature)
  } catch {
    return false
  }
}

function isOfSmallOrder(publicKey: Uint8Array): boolean {
  const y = Buffer.from(publicKey)
  y[31] = (y[31] ?? 0) & 0x7f
  return SMALL_ORDER_Y.has(y.toString('hex'))
}

/** @param seed - 32-byte secret; @returns 64-byte signature */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return sign(null, message, importPrivateKey(seed))
}

/** @param seed - 32-byte secret; @returns 32-byte public key */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  const { x = '' } = createPublicKey(importPrivateKey(seed)).export({ format: 'jwk' })
  return Buffer.from(x, 'base64url')
}

function importPrivateKey(seed: Uint8Array): KeyObject {
  if (lastPrivateKey && equalBytes(lastPrivateKey.seed, seed)) return lastPrivateKey.key
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  lastPrivateKey = { seed: seed.slice(), key }
  return key
}

function importPublicKey(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey.buffer, publicKey.byteOffset, 32).toString('latin1')
  const cached = publicKeys.get(name)
  if (cached) return cached
  // A tenth of what it takes as DER, which OpenSSL tries many decoders on.
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(publicKey) }, format: 'jwk' })
  if (publicKeys.size >= KEY_CACHE_ENTRIES) publicKeys.clear()
  publicKeys.set(name, key)
  return key
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
}
