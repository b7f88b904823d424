import { ByteWriter } from './codec.ts'
import type { Network, Period } from './units.ts'

/** Of BODY and SEALS (docs/FORMAT.md). */
export const PERIOD_FORMAT = 1

/** format, chain id, genesis timestamp and period: BODY and SEALS of a period begin with the same bytes. */
export const PERIOD_HEAD_BYTES = 25

export function encodePeriodHead(network: Network, period: Period): Uint8Array {
  const writer = new ByteWriter(PERIOD_HEAD_BYTES).u8(PERIOD_FORMAT)
  return writer.u64(network.chainId).u64(network.genesisTimestampMs).u64(BigInt(period)).finish()
}
