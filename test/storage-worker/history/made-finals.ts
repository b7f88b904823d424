import { type Clock, type Period, type PeriodSummary, THREAD_COUNT } from '../../../core/index.ts'
import type { SlotSummary } from '../../../storage-worker/index.ts'
import { FinalPeriods } from '../../../storage-worker/index.ts'

/** Slots of periods that a test says are archived; thread 3 of each has no block. */
export class MadeFinals {
  readonly archived = new Set<Period>()
  /** In the order in which they were read. */
  readonly read: Period[] = []
  readonly finals: FinalPeriods
  /** How often somebody looked how many operations a slot has. */
  looks = 0
  /** What reading fails with. */
  failure: Error | undefined

  constructor(clock: Clock) {
    this.finals = new FinalPeriods({
      clock,
      store: {
        readRange: async () => {
          const sorted = this.sorted()
          const [first, last] = [sorted[0], sorted.at(-1)]
          return first === undefined || last === undefined ? undefined : { first, last }
        },
        listSummaries: ({ from, to }) => this.listSummaries(from, to),
      },
      reader: { readSlots: (period) => this.readSlots(period) },
    })
  }

  add(from: Period, to = from): void {
    for (let period = from; period <= to; period++) this.archived.add(period)
  }

  private async *listSummaries(from: Period, to: Period): AsyncGenerator<PeriodSummary> {
    for (const period of this.sorted()) {
      if (period >= from && period <= to) yield { period } as PeriodSummary
    }
  }

  private async readSlots(period: Period): Promise<readonly SlotSummary[] | undefined> {
    if (this.failure) throw this.failure
    if (!this.archived.has(period)) return undefined
    this.read.push(period)
    const blockId = new Uint8Array(33).fill(7).fill(0, 0, 1)
    const noteLook = () => ++this.looks
    return Array.from({ length: THREAD_COUNT }, (_, thread): SlotSummary => {
      const shown = thread === 3 ? { kind: 'miss' as const } : { kind: 'block' as const, blockId }
      return {
        ...shown,
        slot: { period, thread },
        get operations() {
          noteLook()
          return thread === 3 ? 0 : 1
        },
      }
    })
  }

  private sorted(): Period[] {
    return [...this.archived].sort((a, b) => a - b)
  }
}
