import { HASH_SLOTS } from '../../core/index.ts'

const BITMAP_BYTES = HASH_SLOTS / 8
/** More take less room as a bitmap. */
const MAX_LISTED = BITMAP_BYTES / 2
const NO_SLOTS = new Uint16Array(0)

/** Hash slots that stay as they are, in 2 KiB at most: thousands of such sets are kept. */
export class SlotSet {
  static readonly NONE = new SlotSet([])

  readonly size: number
  /** Ascending; empty when there are so many that they are bits. */
  private readonly listed: Uint16Array
  private readonly bits: Uint8Array | undefined

  /** @param slots - in any order, each 0 to 16,383; twice is once */
  constructor(slots: Iterable<number>) {
    const bits = new Uint8Array(BITMAP_BYTES)
    let size = 0
    for (const slot of slots) {
      if (isSet(bits, slot)) continue
      bits[slot >>> 3] = (bits[slot >>> 3] ?? 0) | (1 << (slot & 7))
      size++
    }
    this.size = size
    this.bits = size > MAX_LISTED ? bits : undefined
    this.listed = this.bits || size === 0 ? NO_SLOTS : Uint16Array.from(listBits(bits))
  }

  get sizeBytes(): number {
    return this.bits?.length ?? this.listed.byteLength
  }

  has(slot: number): boolean {
    if (this.bits) return isSet(this.bits, slot)
    const at = findFirst(this.listed, slot)
    return this.listed[at] === slot
  }

  /** Ascending. */
  [Symbol.iterator](): Iterator<number> {
    return this.bits ? listBits(this.bits) : this.listed[Symbol.iterator]()
  }
}

/** Position of the first number that is not below `wanted`; the length when all are. `numbers` ascend. */
export function findFirst(numbers: Uint16Array | Uint32Array, wanted: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

function isSet(bits: Uint8Array, slot: number): boolean {
  return ((bits[slot >>> 3] ?? 0) & (1 << (slot & 7))) !== 0
}

function* listBits(bits: Uint8Array): Generator<number> {
  for (let slot = 0; slot < HASH_SLOTS; slot++) if (isSet(bits, slot)) yield slot
}
