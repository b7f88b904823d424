import { sha256 } from '#crypto'
import { computeAddress, computePublicKey, concatBytes, formatAddress } from '../../../core/index.ts'

/** Secret of a made-up node. */
export function seedOf(name: string): Uint8Array {
  return sha256(new TextEncoder().encode(name))
}

/** The Massa address that a secret speaks for. */
export function addressOf(seed: Uint8Array): string {
  return formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed))))
}
