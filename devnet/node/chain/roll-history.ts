import { THREAD_COUNT } from '../../../core/index.ts'
import { PERIODS_PER_CYCLE } from '../../engine/index.ts'

/** Slots of a cycle. */
export const CYCLE_SLOTS = PERIODS_PER_CYCLE * THREAD_COUNT
/** A cycle is drawn by the rolls that there were at the end of the third one before it. */
const LOOKBACK_CYCLES = 3
/** Draws may be asked for from four cycles back, and their rolls are three cycles older; what a node shows needs no more. */
const KEPT_CYCLES = 10

/** Who holds how many rolls, in the order in which draws go through them. */
export type RollCounts = readonly (readonly [address: string, rolls: bigint])[]

/**
 * By which rolls cycles are drawn: those at the end of the cycle three before, and those of the beginning for the first
 * three.
 *
 * A cycle at whose end none of the chain's own stakers has a roll is drawn by the rolls of the one before it: else nobody
 * could make a block any more. So it is also while finality is more than two cycles behind.
 */
export class RollHistory {
  private readonly atBeginning: RollCounts
  private readonly atEnd = new Map<number, RollCounts>()
  private newestCycle = -1

  /**
   * @param atBeginning - of the chain's own stakers
   * @param stored - as `add` gave them, in the order of cycles
   */
  constructor(atBeginning: RollCounts, stored: Iterable<readonly [cycle: number, counts: RollCounts]> = []) {
    this.atBeginning = atBeginning
    for (const [cycle, counts] of stored) this.keep(cycle, counts)
  }

  /** What was held when a cycle ended, final; cycles come in order. @returns what is to be stored */
  add(
    cycle: number,
    held: ReadonlyMap<string, bigint>,
  ): { readonly counts: RollCounts; readonly droppedCycle: number } {
    const own = this.atBeginning.map(([address]) => [address, held.get(address) ?? 0n] as const)
    const names = new Set(own.map(([address]) => address))
    const others = [...held].filter(([address]) => !names.has(address)).sort(([a], [b]) => (a < b ? -1 : 1))
    const counts = own.some(([, rolls]) => rolls > 0n) ? [...own, ...others] : this.newest
    this.keep(cycle, counts)
    return { counts, droppedCycle: cycle - KEPT_CYCLES }
  }

  /** By which rolls a cycle is drawn. */
  activeIn(cycle: number): RollCounts {
    const wanted = cycle - LOOKBACK_CYCLES
    if (wanted > this.newestCycle) return this.newest
    for (let ended = wanted; ended > this.newestCycle - KEPT_CYCLES; ended--) {
      const counts = this.atEnd.get(ended)
      if (counts) return counts
    }
    return this.atBeginning
  }

  /** The last slot whose draw nothing can change any more. */
  get lastDrawnIndex(): number {
    return (this.newestCycle + LOOKBACK_CYCLES + 1) * CYCLE_SLOTS - 1
  }

  private get newest(): RollCounts {
    return this.atEnd.get(this.newestCycle) ?? this.atBeginning
  }

  private keep(cycle: number, counts: RollCounts): void {
    this.atEnd.set(cycle, counts)
    this.atEnd.delete(cycle - KEPT_CYCLES)
    this.newestCycle = cycle
  }
}

export function cycleOf(slotIndex: number): number {
  return Math.floor(slotIndex / CYCLE_SLOTS)
}
