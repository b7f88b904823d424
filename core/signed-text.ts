import { blake3, ed25519PublicKey, ed25519Sign, ed25519Verify } from '#crypto'
import { concatBytes } from './bytes.ts'
import { ArchiveError } from './errors.ts'
import { formatPublicKey, formatSignature, parsePublicKey, parseSignature } from './massa/atoms.ts'

/*
 * Texts signed by a Massa key as the chain's own check takes them: Ed25519 over BLAKE3 of the UTF-8 text
 * (facts: contract-platform 2.2).
 */

/** P + 51 digits, a colon, 96 digits at most: anything longer is not parsed. */
const MAX_ARGUMENT_BYTES = 256

/** A signature with the key that made it, as contract calls carry both. */
export interface SignatureArgument {
  /** 33 bytes */
  readonly publicKey: Uint8Array
  /** 65 bytes */
  readonly signature: Uint8Array
}

/** @param seed - 32-byte secret */
export function signText(seed: Uint8Array, text: string): SignatureArgument {
  const version = Uint8Array.of(0)
  return {
    publicKey: concatBytes(version, ed25519PublicKey(seed)),
    signature: concatBytes(version, ed25519Sign(seed, hashText(text))),
  }
}

/** By the strict rule of single signatures, as contracts check; whose key it is, the caller checks. */
export function verifyText(text: string, { publicKey, signature }: SignatureArgument): boolean {
  return ed25519Verify(publicKey.subarray(1), hashText(text), signature.subarray(1))
}

/** UTF-8 of `<public key text>:<signature text>`: the `signature` argument of contract calls. */
export function encodeSignatureArgument({ publicKey, signature }: SignatureArgument): Uint8Array {
  return new TextEncoder().encode(`${formatPublicKey(publicKey)}:${formatSignature(signature)}`)
}

/** @throws ArchiveError CORE_SIGNATURE_INVALID */
export function parseSignatureArgument(bytes: Uint8Array): SignatureArgument {
  if (bytes.length > MAX_ARGUMENT_BYTES) throw invalid(`${bytes.length} bytes are too many`)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const [publicKey, signature, ...rest] = text.split(':')
    if (publicKey === undefined || signature === undefined || rest.length > 0) throw invalid('not two parts')
    return { publicKey: parsePublicKey(publicKey), signature: parseSignature(signature) }
  } catch (cause) {
    throw invalid('key or signature is malformed', cause)
  }
}

function hashText(text: string): Uint8Array {
  return blake3(new TextEncoder().encode(text))
}

function invalid(reason: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CORE_SIGNATURE_INVALID', `not a '<public key>:<signature>': ${reason}`, {}, cause)
}
