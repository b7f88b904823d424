import { sha256Into } from '#sha256'

export const SEAL_BYTES = 32

/** SHA-256(value) || value: what stands on disk, so that a read knows whether the disk kept its word. */
export function sealValue(value: Uint8Array): Uint8Array {
  // Not zeroed: every byte is written below.
  return sealInto(Buffer.allocUnsafe(SEAL_BYTES + value.length), value)
}

/** The same in memory that is given: SEAL_BYTES longer than the value. */
export function sealInto(sealed: Uint8Array, value: Uint8Array): Uint8Array {
  sha256Into(value, sealed, 0)
  sealed.set(value, SEAL_BYTES)
  return sealed
}

// Used again: verify opens thousands of small values.
const digest = new Uint8Array(SEAL_BYTES)

/** The value, or `undefined` when its seal does not fit. */
export function openValue(sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < SEAL_BYTES) return undefined
  // A plain Uint8Array whatever the database gave: Buffers compare unequal to them in deep comparisons.
  const value = new Uint8Array(sealed.buffer, sealed.byteOffset + SEAL_BYTES, sealed.length - SEAL_BYTES)
  sha256Into(value, digest, 0)
  for (let i = 0; i < SEAL_BYTES; i++) if (digest[i] !== sealed[i]) return undefined
  return value
}
