import { type ArchivedPeriod, type ChunkPlace, equalBytes, type Period } from '../core/index.ts'
import type { ChunkReader } from './chunk-reader.ts'
import type { LevelOperation } from './guarded-level.ts'
import { decodePeriod, keyspaceRange, periodRange } from './keyspace.ts'
import { decodePlaceKey, pendingKey, putIndexOperations } from './period-index.ts'

interface WaitingPeriod {
  readonly period: ArchivedPeriod
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Index entries of periods whose bodies are written; unsynced, in the order of their bodies. */
export class IndexWriter {
  private readonly store: ChunkReader
  private readonly waiting: WaitingPeriod[] = []
  private writing: Promise<void> | undefined
  /** It is not known whether they are visible and have their entries, which go with the next ones. */
  private readonly lagging = new Set<Period>()

  constructor(store: ChunkReader) {
    this.store = store
  }

  /**
   * Behind what is indexed already, so that only the newest periods can be missing; those that wait go together. Who
   * writes a period waits for it although it takes a twentieth of the time of a quiet period: whose index fails is told
   * so, and writes again.
   */
  add(period: ArchivedPeriod): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ period, resolve, reject })
      this.writing ??= this.writeWaiting()
    })
  }

  /** Its bodies could not be written, or were and nobody was told: the next entries would hide that it has none. */
  addDoubtful(period: Period): void {
    this.lagging.add(period)
  }

  /** Deletes entries of [from, to] that point nowhere. */
  async deleteStale(from: Period, to: Period): Promise<void> {
    const operations: LevelOperation[] = []
    for await (const key of this.store.index.keys(periodRange('periodSummaries', from, to))) {
      if (!(await this.store.isVisible(decodePeriod(key, 1)))) operations.push({ type: 'del', key })
    }
    for await (const key of this.store.index.keys(keyspaceRange('merkleRoots'))) {
      const place = decodePlaceKey(key)
      if (place && (place.period < from || place.period > to)) continue
      if (!place || !(await this.isPlaceOf(place))) operations.push({ type: 'del', key })
    }
    if (operations.length > 0) await this.store.index.write(operations, { sync: false })
  }

  private async isPlaceOf(place: ChunkPlace): Promise<boolean> {
    const manifest = await this.store.readManifest(place.period).catch(() => undefined)
    const chunk = manifest?.chunks[place.index]
    if (!chunk || !equalBytes(chunk.chunkId, place.chunkId)) return false
    const holding = await this.store.readHolding(place.period).catch(() => undefined)
    return !holding?.missingChunks.includes(place.index)
  }

  /** Writes the entries of all visible periods of [from, to] again. */
  async reindexRange(from: Period, to: Period): Promise<void> {
    for (let at = await this.store.seekVisible(from, false); at !== undefined && at <= to; ) {
      await this.reindex(at)
      at = await this.store.seekVisible(at + 1, false)
    }
  }

  async reindex(period: Period): Promise<void> {
    await this.store.index.write(await this.computeOperations(period), { sync: false })
  }

  /** Damage stays where it is: `verify` names it, opening must not fail on it. */
  private async computeOperations(period: Period): Promise<LevelOperation[]> {
    const pending: LevelOperation = { type: 'del', key: pendingKey(period) }
    const manifest = await this.store.readManifest(period).catch(() => undefined)
    const summary = manifest && (await this.store.computeSummary(period).catch(() => undefined))
    if (!manifest || !summary) return [pending]
    return putIndexOperations(manifest, summary, await this.store.readHolding(period))
  }

  /** Never rejects. */
  private async writeWaiting(): Promise<void> {
    // Those whose bodies went together come together.
    await Promise.resolve()
    while (this.waiting.length > 0) {
      const taken = this.waiting.splice(0)
      try {
        await this.write(taken.map(({ period }) => period))
        for (const { resolve } of taken) resolve()
      } catch (error) {
        for (const { reject } of taken) reject(error)
      }
    }
    this.writing = undefined
  }

  private async write(periods: readonly ArchivedPeriod[]): Promise<void> {
    for (const { manifest } of periods) this.lagging.delete(manifest.period)
    const doubtful = [...this.lagging]
    const operations: LevelOperation[] = []
    for (const number of doubtful) operations.push(...(await this.computeOperations(number)))
    for (const { manifest, summary } of periods) operations.push(...putIndexOperations(manifest, summary))
    for (const { manifest } of periods) this.lagging.add(manifest.period)
    await this.store.index.write(operations, { sync: false })
    for (const number of doubtful) this.lagging.delete(number)
    for (const { manifest } of periods) this.lagging.delete(manifest.period)
  }
}
