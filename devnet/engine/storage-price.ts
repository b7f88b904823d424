/** Price of a byte on the ledger (massa-models, LEDGER_COST_PER_BYTE), nanoMAS. */
export const BYTE_PRICE_NANO_MAS = 100_000n
/** Price of an address (LEDGER_ENTRY_BASE_COST), nanoMAS. */
export const ADDRESS_PRICE_NANO_MAS = 1_000_000n
/** What a datastore entry is charged for beside key and value (LEDGER_ENTRY_DATASTORE_BASE_SIZE). */
const ENTRY_OVERHEAD_BYTES = 4
/** What a registered deferred call is charged for beside its parameters: function name at its longest, and 111. */
const DEFERRED_CALL_OVERHEAD_BYTES = 255 + 111

/** What one entry costs as long as it exists, nanoMAS. */
export function computeEntryPrice(keyBytes: number, valueBytes: number): bigint {
  return BigInt(ENTRY_OVERHEAD_BYTES + keyBytes + valueBytes) * BYTE_PRICE_NANO_MAS
}

export function computeBytecodePrice(bytecodeBytes: number): bigint {
  return BigInt(bytecodeBytes) * BYTE_PRICE_NANO_MAS
}

export function computeDeferredCallPrice(parameterBytes: bigint): bigint {
  return (parameterBytes + BigInt(DEFERRED_CALL_OVERHEAD_BYTES)) * BYTE_PRICE_NANO_MAS
}
