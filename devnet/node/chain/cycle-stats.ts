import { PERIODS_PER_CYCLE } from '../../engine/index.ts'
import type { CycleRecord } from './chain-records.ts'
import type { SlotOutput } from './slot-executor.ts'

const CYCLES_KEPT = 5

/** Blocks that somebody made and missed in a cycle, final ones. */
export interface CycleCounts {
  readonly cycle: number
  readonly okCount: number
  readonly nokCount: number
}

/** Who made his blocks and who did not, over the last cycles. */
export class CycleStats {
  private readonly cycles = new Map<number, Map<string, { ok: number; nok: number }>>()

  constructor(records: readonly CycleRecord[] = []) {
    for (const { cycle, producers } of records) {
      this.cycles.set(cycle, new Map(producers.map(([address, ok, nok]) => [address, { ok, nok }])))
    }
  }

  add({ slot, block, producer }: SlotOutput): void {
    const cycle = Math.floor(slot.period / PERIODS_PER_CYCLE)
    let producers = this.cycles.get(cycle)
    if (!producers) {
      producers = new Map()
      this.cycles.set(cycle, producers)
      this.cycles.delete(cycle - CYCLES_KEPT)
    }
    const counts = producers.get(producer) ?? { ok: 0, nok: 0 }
    if (block) counts.ok++
    else counts.nok++
    producers.set(producer, counts)
  }

  /** Oldest first. */
  of(address: string): CycleCounts[] {
    return [...this.cycles].map(([cycle, producers]) => {
      const counts = producers.get(address)
      return { cycle, okCount: counts?.ok ?? 0, nokCount: counts?.nok ?? 0 }
    })
  }

  toRecords(): CycleRecord[] {
    return [...this.cycles].map(([cycle, producers]) => ({
      cycle,
      producers: [...producers].map(([address, { ok, nok }]) => [address, ok, nok] as const),
    }))
  }
}
