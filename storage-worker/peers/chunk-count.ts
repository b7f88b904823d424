import type { ChunkStore, Clock, Period } from '../../core/index.ts'

/** Gaps that were filled in the middle are seen at the next count of all. */
const RECOUNT_MS = 3_600_000

/** How many chunks a store holds, without reading all of its summaries each time. */
export class ChunkCount {
  private readonly store: ChunkStore
  private readonly clock: Clock
  private counted: { readonly first: Period; readonly last: Period; readonly chunks: number } | undefined
  private countedAllAtMs = Number.NEGATIVE_INFINITY

  constructor(store: ChunkStore, clock: Clock) {
    this.store = store
    this.clock = clock
  }

  async read(): Promise<number> {
    const range = await this.store.readRange()
    if (!range) return 0
    const isDue = this.clock.monotonicMs() - this.countedAllAtMs >= RECOUNT_MS
    const known = !isDue && this.counted && this.counted.first >= range.first ? this.counted : undefined
    if (!known) this.countedAllAtMs = this.clock.monotonicMs()
    let chunks = known?.chunks ?? 0
    // An archive grows at both ends: downward while it fetches what came before it.
    const added = known
      ? [
          { from: range.first, to: known.first - 1 },
          { from: known.last + 1, to: range.last },
        ]
      : [{ from: range.first, to: range.last }]
    for (const part of added) {
      if (part.from > part.to) continue
      for await (const summary of this.store.listSummaries(part)) chunks += summary.heldChunks ?? summary.chunks
    }
    this.counted = { ...range, chunks }
    return chunks
  }
}
