import {
  type ArchivedPeriod,
  ArchiveError,
  type ChunkPlace,
  type ChunkStore,
  computePeriodRoot,
  equalBytes,
  type Holding,
  type Manifest,
  type Period,
  type PeriodPart,
  type PeriodSummary,
  type StoreIdentity,
} from '../../core/index.ts'
import { EXECUTION_RESULTS, isChunkPlace, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { placePrefixRange } from '../../storage-worker/period-index.ts'
import { checkManifest, checkPart, type PeriodChange, planDrop, planPart } from '../../storage-worker/period-part.ts'
import { listValues, type PeriodValue } from '../../storage-worker/sealed-period.ts'
import type { Life } from './node-clock.ts'
import type { SimDisk, StoredPeriod } from './sim-disk.ts'

const ID_DIGITS = 64

/** The archive of a simulated node: what a store decides is decided by the same functions, what it writes is in memory. */
export class MemoryStore implements ChunkStore {
  readonly identity: StoreIdentity
  deletions = 0
  private readonly disk: SimDisk
  private readonly life: Life
  private tail: Promise<unknown> = Promise.resolve()

  constructor(identity: StoreIdentity, modules: { readonly disk: SimDisk; readonly life: Life }) {
    this.identity = identity
    this.disk = modules.disk
    this.life = modules.life
  }

  async writePeriod(period: ArchivedPeriod): Promise<void> {
    this.checkPeriod(period)
    const { manifest, summary } = period
    await this.queue(async () => {
      const before = this.disk.get(manifest.period)
      if (before) this.checkSame(before.manifest, manifest)
      const values = listValues(period).filter((value) => !this.isKept(manifest.period, value))
      if (before && !before.holding && values.length === 0) return
      const { heldChunks: _, ...whole } = summary
      await this.commit({ manifest, summary: whole, holding: undefined, values, dropped: [] })
    })
  }

  async writePart(part: PeriodPart): Promise<void> {
    const checked = checkPart(part, this.identity)
    const { manifest } = part
    const { period } = manifest
    await this.queue(async () => {
      const before = this.disk.get(period)
      if (before) this.checkSame(before.manifest, manifest)
      const change = await planPart(
        checked,
        { manifest: before?.manifest, holding: before?.holding },
        {
          readChunk: (index) => this.readChunk(period, index),
          readSeals: async () => (before?.damaged.has(SEALS) ? undefined : before?.values.get(SEALS)),
          readSummary: async () => before?.summary,
          isKept: async (value) => this.isKept(period, value),
        },
      )
      await this.commit(change)
    })
  }

  async dropChunks(period: Period, indexes: readonly number[]): Promise<void> {
    await this.queue(async () => {
      const before = this.disk.get(period)
      if (!before || indexes.length === 0) return
      const { manifest, holding, summary } = before
      await this.commit(planDrop(manifest, { holding, operations: summary.operations }, indexes))
    })
  }

  async compactPeriods(): Promise<void> {
    await this.queue(async () => undefined)
  }

  async deletePeriods(from: Period, to: Period): Promise<void> {
    await this.queue(async () => {
      this.deletions++
      const numbers = this.disk.listPeriods().filter((period) => period >= from && period <= to)
      await this.disk.write(this.life, false, () => {
        for (const period of numbers) this.disk.commit(period, undefined)
      })
    })
  }

  async readHolding(period: Period): Promise<Holding | undefined> {
    return (await this.read(period))?.holding
  }

  async readManifest(period: Period): Promise<Manifest | undefined> {
    return (await this.read(period))?.manifest
  }

  async readSummary(period: Period): Promise<PeriodSummary | undefined> {
    return (await this.read(period))?.summary
  }

  async readChunk(period: Period, index: number): Promise<Uint8Array | undefined> {
    return index >= 0 && isChunkPlace(index) ? this.readValue(period, index) : undefined
  }

  async readSeals(period: Period): Promise<Uint8Array | undefined> {
    return this.readValue(period, SEALS)
  }

  async readExecutionResults(period: Period): Promise<Uint8Array | undefined> {
    return this.readValue(period, EXECUTION_RESULTS)
  }

  async findChunks(prefixHex: string, limit: number): Promise<ChunkPlace[]> {
    await this.disk.read(this.life)
    if (prefixHex.length === ID_DIGITS) {
      const place = this.disk.placeOf(prefixHex)
      return place ? [place] : []
    }
    placePrefixRange(prefixHex)
    const found = [...this.disk.listPlaces()].filter(([id]) => id.startsWith(prefixHex))
    return found.slice(0, limit).map(([, place]) => place)
  }

  async readRange(): Promise<{ readonly first: Period; readonly last: Period } | undefined> {
    await this.disk.read(this.life)
    const numbers = this.disk.listPeriods()
    const [first, last] = [numbers[0], numbers.at(-1)]
    return first === undefined || last === undefined ? undefined : { first, last }
  }

  async *listSummaries(range: { from: Period; to: Period; reverse?: boolean }): AsyncGenerator<PeriodSummary> {
    await this.disk.read(this.life)
    const numbers = this.disk.listPeriods().filter((period) => period >= range.from && period <= range.to)
    for (const period of range.reverse ? numbers.reverse() : numbers) {
      const summary = this.disk.get(period)?.summary
      if (summary) yield summary
    }
  }

  private async read(period: Period): Promise<StoredPeriod | undefined> {
    await this.disk.read(this.life)
    return this.disk.get(period)
  }

  private async readValue(period: Period, n: number): Promise<Uint8Array | undefined> {
    const stored = await this.read(period)
    if (!stored?.damaged.has(n)) return stored?.values.get(n)
    throw new ArchiveError('STORE_VALUE_CORRUPT', `value ${n} of period ${period} is damaged`, { period, index: n })
  }

  /** As the real one: chunks must be equal, and the manifest; of all else the first intact one stays. */
  private isKept(period: Period, { n, value }: PeriodValue): boolean {
    const stored = this.disk.get(period)
    const found = stored?.damaged.has(n) ? undefined : stored?.values.get(n)
    return found !== undefined && (!(isChunkPlace(n) || n === MANIFEST) || equalBytes(found, value))
  }

  private async commit({ manifest, summary, holding, values, dropped }: PeriodChange): Promise<void> {
    const { period } = manifest
    await this.disk.write(this.life, values.length > 0, () => {
      const before = this.disk.get(period)
      const all = new Map(before?.values)
      const damaged = new Set(before?.damaged)
      for (const { n, value } of values) {
        all.set(n, value)
        damaged.delete(n)
      }
      for (const n of dropped) {
        all.delete(n)
        damaged.delete(n)
      }
      this.disk.commit(period, { manifest, summary, holding, values: all, damaged })
    })
  }

  private checkSame(own: Manifest, given: Manifest): void {
    if (equalBytes(computePeriodRoot(own), computePeriodRoot(given))) return
    const { period } = own
    throw new ArchiveError('STORE_PERIOD_CONFLICT', `period ${period} is archived with another manifest`, { period })
  }

  private checkPeriod({ manifest, chunks, summary }: ArchivedPeriod): void {
    checkManifest(manifest, this.identity)
    const isWhole =
      chunks.length === manifest.chunks.length &&
      summary.chunks === chunks.length &&
      chunks.every((chunk, i) => chunk.length === manifest.chunks[i]?.byteLength) &&
      summary.period === manifest.period &&
      summary.bodyBytes === chunks.reduce((sum, chunk) => sum + chunk.length, 0) &&
      equalBytes(summary.root, computePeriodRoot(manifest))
    if (isWhole) return
    throw new ArchiveError('STORE_PERIOD_INVALID', `period ${manifest.period}`, { period: manifest.period })
  }

  private queue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.tail.then(task)
    this.tail = done.catch(() => undefined)
    return done
  }
}
