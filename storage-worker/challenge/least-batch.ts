import { BYTE_PRICE_NANO_MAS } from '../../core/index.ts'

/** Ids that `prune` takes (docs/CONTRACT.md, Functions). */
export const MAX_PRUNED = 20
/** Of what a call brings back the fee is a twentieth at most, unless no call could take enough. */
const WORTH_FEES = 20n

/**
 * The fewest records that are worth a call of `prune`. It is no setting: records lose nothing by waiting for more, and what is
 * worth it follows from the fee and the price of a byte.
 *
 * @param feeNanoMas - of the call
 * @param recordBytes - that one record frees, key and overhead included
 * @returns 1 to 20
 */
export function computeLeastBatch(feeNanoMas: bigint, recordBytes: number): number {
  const eachNanoMas = BigInt(recordBytes) * BYTE_PRICE_NANO_MAS
  const least = Number((feeNanoMas * WORTH_FEES + eachNanoMas - 1n) / eachNanoMas)
  return Math.min(MAX_PRUNED, Math.max(1, least))
}
