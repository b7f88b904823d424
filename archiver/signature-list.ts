import { HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, verifySignature } from '../core/index.ts'

/** Public key, signed hash and signature, one behind the other. */
export const SIGNATURE_ENTRY_BYTES = PUBLIC_KEY_BYTES + HASH_BYTES + SIGNATURE_BYTES

/**
 * Which of listed signatures is the first that does not verify.
 *
 * @param list - SIGNATURE_ENTRY_BYTES each
 * @returns its place in the list; -1 where all verify
 * @remarks CPU bound, 0.1 ms per signature: runs in a worker thread.
 */
export function findForgedSignature(list: Uint8Array): number {
  for (let at = 0, i = 0; at < list.length; at += SIGNATURE_ENTRY_BYTES, i++) {
    const hashAt = at + PUBLIC_KEY_BYTES
    const signatureAt = hashAt + HASH_BYTES
    const signature = list.subarray(signatureAt, at + SIGNATURE_ENTRY_BYTES)
    if (!verifySignature(list.subarray(at, hashAt), list.subarray(hashAt, signatureAt), signature)) return i
  }
  return -1
}
