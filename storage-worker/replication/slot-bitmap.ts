import { HASH_SLOTS } from '../../core/index.ts'

const BYTES = HASH_SLOTS / 8

/** A set of hash slots as 2,048 bytes: bit h % 8 of byte h / 8. */
export class SlotBitmap {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array = new Uint8Array(BYTES)) {
    this.bytes = bytes
  }

  static of(hashSlots: Iterable<number>): SlotBitmap {
    const set = new SlotBitmap()
    for (const hashSlot of hashSlots) set.add(hashSlot)
    return set
  }

  add(hashSlot: number): void {
    const at = hashSlot >> 3
    this.bytes[at] = (this.bytes[at] ?? 0) | (1 << (hashSlot & 7))
  }

  addAll(other: SlotBitmap): void {
    for (const [at, byte] of other.bytes.entries()) this.bytes[at] = (this.bytes[at] ?? 0) | byte
  }

  has(hashSlot: number): boolean {
    return (((this.bytes[hashSlot >> 3] ?? 0) >> (hashSlot & 7)) & 1) === 1
  }

  /** Ascending. */
  list(): number[] {
    const hashSlots: number[] = []
    for (const [at, byte] of this.bytes.entries()) {
      for (let bit = 0, rest = byte; rest !== 0; bit++, rest >>= 1) if (rest & 1) hashSlots.push(8 * at + bit)
    }
    return hashSlots
  }
}
