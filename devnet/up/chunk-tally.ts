import { computeHashSlot, fromHex, HASH_SLOTS, type Period } from '../../core/index.ts'

/** How many chunks a sidecar has, in all and of some hash slots, whatever is counted again. */
export class ChunkTally {
  /** Hash slots of the chunks of a period. */
  private readonly periods = new Map<Period, readonly number[]>()
  private readonly bySlot = new Uint32Array(HASH_SLOTS)
  private counted = 0

  get chunks(): number {
    return this.counted
  }

  /** Instead of what was counted for the period before. @param chunkIds - hex */
  put(period: Period, chunkIds: readonly string[]): void {
    this.add(this.periods.get(period) ?? [], -1)
    const hashSlots = chunkIds.map((chunkId) => computeHashSlot(fromHex(chunkId)))
    this.periods.set(period, hashSlots)
    this.add(hashSlots, 1)
  }

  countIn(hashSlots: readonly number[]): number {
    return hashSlots.reduce((sum, hashSlot) => sum + (this.bySlot[hashSlot] ?? 0), 0)
  }

  private add(hashSlots: readonly number[], by: number): void {
    for (const hashSlot of hashSlots) this.bySlot[hashSlot] = (this.bySlot[hashSlot] ?? 0) + by
    this.counted += by * hashSlots.length
  }
}
