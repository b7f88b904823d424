import { equalBytes, type Manifest, SEAL_BYTES } from '../../core/index.ts'
import { countBits } from '../holding.ts'

/** format, chain id, genesis timestamp and period: BODY and SEALS begin with the same bytes. */
const HEAD_BYTES = 25

/**
 * False when these cannot be the SEALS of this period: of another one, or with fewer signatures than blocks.
 *
 * How many signatures there are is known only with all of BODY: then the store looks closely.
 */
export function mayBeSeals(seals: Uint8Array, firstChunk: Uint8Array, { bitmap }: Manifest): boolean {
  const signatures = (seals.length - HEAD_BYTES) / SEAL_BYTES
  if (!Number.isInteger(signatures) || signatures < countBits(bitmap)) return false
  return equalBytes(seals.subarray(0, HEAD_BYTES), firstChunk.subarray(0, HEAD_BYTES))
}
