import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { computeAddress, concatBytes } from '../core/index.ts'

/** A key derived from a text: worth nothing, the same on every machine. */
export interface MadeKey {
  /** 33 bytes */
  readonly publicKey: Uint8Array
  /** 34 bytes */
  readonly address: Uint8Array
  /** 65 bytes over `hash`. */
  sign(hash: Uint8Array): Uint8Array
}

export function makeKey(text: string): MadeKey {
  const seed = createHash('sha256').update(text).digest()
  // A tenth of what it takes as DER, which OpenSSL tries many decoders on. The public half `x` is not read.
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: seed.toString('base64url'), x: '' }
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = concatBytes(Uint8Array.of(0), Buffer.from(x, 'base64url'))
  return {
    publicKey,
    address: computeAddress(publicKey),
    sign: (hash) => concatBytes(Uint8Array.of(0), sign(null, hash, privateKey)),
  }
}

/** A number in [0, 1) that the text decides. */
export function drawNumber(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32
}
