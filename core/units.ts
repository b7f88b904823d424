/** Slots of one period, one per thread. Fixed in format 1. */
export const THREAD_COUNT = 32
/** Milliseconds from one period to the next (facts: massa-node 3.1). */
export const PERIOD_MS = 16_000
export const SLOT_MS = PERIOD_MS / THREAD_COUNT
/** Periods of one era, one Massa cycle. */
export const ERA_PERIODS = 128
export const CHUNK_SIZE_BYTES = 1_048_576
export const LEAF_SIZE_BYTES = 1024
/** GB in this project is 10^9 bytes. */
export const BYTES_PER_GB = 1_000_000_000

/** A period number, u64. Periods stay far below 2^53 (4.5 * 10^15 years), so a number is exact. */
export type Period = number

/** Massa's slot: one block place. */
export interface Slot {
  readonly period: Period
  readonly thread: number
}

/** Position of a slot in the one order of all slots. */
export function slotIndex(slot: Slot): number {
  return slot.period * THREAD_COUNT + slot.thread
}

export function slotOfIndex(index: number): Slot {
  return { period: Math.floor(index / THREAD_COUNT), thread: index % THREAD_COUNT }
}

export function formatSlot(slot: Slot): string {
  return `(${slot.period}, ${slot.thread})`
}

const NANO_MAS_PER_MAS = 1_000_000_000n

/** An amount for people, in MAS without zeros at its end: `4.0689`, `100`. */
export function formatCoins(nanoMas: bigint): string {
  const decimals = (nanoMas % NANO_MAS_PER_MAS).toString().padStart(9, '0').replace(/0+$/, '')
  return `${nanoMas / NANO_MAS_PER_MAS}${decimals === '' ? '' : `.${decimals}`}`
}

/** Decimal MAS with at most 9 places, in nanoMAS; undefined for any other text. */
export function parseCoins(text: string): bigint | undefined {
  const [, whole, decimals = ''] = /^(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text) ?? []
  return whole === undefined ? undefined : BigInt(whole) * NANO_MAS_PER_MAS + BigInt(decimals.padEnd(9, '0'))
}

/** The network an archive belongs to: headers carry neither, so both are part of every root. */
export interface Network {
  readonly chainId: bigint
  readonly genesisTimestampMs: bigint
}
