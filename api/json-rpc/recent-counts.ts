import { type Period, SLOT_MS, STATUS_WINDOW_MS, slotIndex, THREAD_COUNT } from '../../core/index.ts'
import { type History, readBlocks } from './archive-context.ts'

export interface RecentCounts {
  readonly finalBlocks: number
  readonly finalOperations: number
  /** Of the newest block. */
  readonly networkVersion: number
}

const WINDOW_SLOTS = STATUS_WINDOW_MS / SLOT_MS

/** What the last archived minute holds, counted once until more is archived: a status is asked for again and again. */
export class RecentHistory {
  private readonly history: History
  private counted: { readonly last: Period; readonly counts: Promise<RecentCounts> } | undefined

  constructor(history: History) {
    this.history = history
  }

  /** @param last - the last archived period */
  async read(last: Period): Promise<RecentCounts> {
    if (this.counted?.last !== last) this.counted = { last, counts: this.count(last) }
    const { counts } = this.counted
    try {
      return await counts
    } catch (error) {
      if (this.counted?.counts === counts) this.counted = undefined
      throw error
    }
  }

  private async count(last: Period): Promise<RecentCounts> {
    const from = (last + 1) * THREAD_COUNT - WINDOW_SLOTS
    const counts = { finalBlocks: 0, finalOperations: 0, networkVersion: 0 }
    for (let period = Math.max(0, Math.floor(from / THREAD_COUNT)); period <= last; period++) {
      for await (const { record } of readBlocks(this.history, period)) {
        if (slotIndex(record.header.slot) < from) continue
        counts.finalBlocks++
        counts.finalOperations += record.operationIds.length
        counts.networkVersion = record.header.currentVersion
      }
    }
    return counts
  }
}
