import { hash } from 'node:crypto'

/* Apart from crypto-node.ts, which takes 24 ms to load: threads that only hash are to start in less. */

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // Through a latin-1 string it takes half the time of a Buffer result: trees are made of nothing but small hashes.
  const digest = hash('sha256', bytes, 'binary')
  const result = new Uint8Array(32)
  for (let i = 0; i < 32; i++) result[i] = digest.charCodeAt(i)
  return result
}
