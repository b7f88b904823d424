import { setImmediate } from 'node:timers/promises'
import { isArchiveError, type Period } from '../../../core/index.ts'
import type { GuardedLevel } from '../../../storage-worker/guarded-level.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { encodeBodyKey } from '../../../storage-worker/keyspace.ts'
import { call, type MadePeriod, makePeriod, NETWORK } from '../../core/reading/made-history.ts'
import type { SeededRandom } from '../../fuzz/registry/random.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { toArchived } from './archived-period.ts'

export const IDENTITY = { network: NETWORK, chunkSizeBytes: 4096 }
const PERIODS = 8
/** Of these the archive has the first when it begins. */
const FIRST_PERIODS = 5
const THREADS = [0, 3, 4]

/** Each of three blocks of two operations; some three chunks. */
export const MADE: readonly MadePeriod[] = Array.from({ length: PERIODS }, (_, period) =>
  makePeriod(
    period,
    Object.fromEntries(
      THREADS.map((thread) => [
        thread,
        [0, 1].map((i) => call(100 * period + 10 * thread + i, 1500 - 200 * i, BigInt(period))),
      ]),
    ),
  ),
)

const ARCHIVED = MADE.map(toArchived)

/** Gives way for some turns of the event loop, as the seed says: what else is under way goes on meanwhile. */
async function pause(random: SeededRandom, most: number): Promise<void> {
  for (let turns = random.int(most + 1); turns > 0; turns--) await setImmediate()
}

/** What changes of one archive, all at once, as a running sidecar changes it. */
export class ChangingArchive {
  readonly store: LevelChunkStore
  readonly index: HistoryIndex
  private readonly bodies: GuardedLevel
  private readonly sync: HistorySync
  private readonly random: SeededRandom
  /** By period: changes that began or ended. */
  private readonly changes = new Map<Period, number>()
  /** Periods that are here whole, and indexed, while nothing changes them. */
  private readonly whole = new Set<Period>()
  private readonly damaged = new Set<Period>()
  private next: Period = FIRST_PERIODS
  private oldest: Period = 0
  private tail: Promise<void> = Promise.resolve()
  /** Of changes that were made. */
  readonly kinds = new Set<string>()

  private constructor(
    random: SeededRandom,
    parts: { bodies: GuardedLevel; index: GuardedLevel; history: GuardedLevel },
  ) {
    this.random = random
    this.bodies = parts.bodies
    this.store = new LevelChunkStore(IDENTITY, parts)
    this.index = new HistoryIndex(parts.history)
    this.sync = new HistorySync({ store: this.slowly(), index: this.index })
  }

  static async open(random: SeededRandom): Promise<ChangingArchive> {
    const [bodies, index, history] = [
      await openMemoryLevel('bodies'),
      await openMemoryLevel('index'),
      await openMemoryLevel('history'),
    ]
    const archive = new ChangingArchive(random, { bodies, index, history })
    for (const period of ARCHIVED.slice(0, FIRST_PERIODS)) await archive.store.writePeriod(period)
    await archive.sync.compare()
    for (let period = 0; period < FIRST_PERIODS; period++) archive.whole.add(period)
    return archive
  }

  /** The store, with pauses before and after what it does. */
  slowly(): LevelChunkStore {
    const { random } = this
    return new Proxy(this.store, {
      get: (store, name) => {
        const value: unknown = Reflect.get(store, name)
        if (typeof value !== 'function' || name === 'listSummaries') {
          return typeof value === 'function' ? value.bind(store) : value
        }
        return async (...given: unknown[]) => {
          await pause(random, 2)
          const result: unknown = await Reflect.apply(value, store, given)
          await pause(random, 2)
          return result
        }
      },
    })
  }

  /** Which periods nothing has changed since `before`, and that were whole all the time. */
  listSteady(before: ReadonlyMap<Period, number>): Period[] {
    return [...before].flatMap(([period, change]) => ((this.changes.get(period) ?? 0) === change ? [period] : []))
  }

  /** Whole periods that nothing is changing. */
  observe(): ReadonlyMap<Period, number> {
    return new Map([...this.whole].map((period) => [period, this.changes.get(period) ?? 0]))
  }

  /** One change, begun at once and taking its time. */
  async changeOnce(): Promise<void> {
    await pause(this.random, 6)
    const act = this.random.int(10)
    if (act < 3) await this.prune()
    else if (act < 5) await this.repair()
    else if (act < 6) await this.damage()
    else if (act < 7) await this.mend()
    else if (act < 9) await this.archive()
    else await this.deleteOldest()
  }

  private async prune(): Promise<void> {
    const period = this.pick()
    const manifest = await this.store.readManifest(period).catch(unlessDamaged)
    if (!manifest) return
    const indexes = [...manifest.chunks.keys()].filter(() => this.random.chance(0.5))
    await this.change(period, false, async () => this.store.dropChunks(period, indexes))
    this.kinds.add('prune')
  }

  /** Brings back what lacks, as replication does. */
  private async repair(): Promise<void> {
    const period = this.pick()
    const archived = ARCHIVED[period]
    const holding = await this.store.readHolding(period).catch(unlessDamaged)
    if (!archived || !holding) return
    await this.change(period, true, async () => {
      const chunks = new Map(holding.missingChunks.map((index) => [index, archived.chunks[index] ?? new Uint8Array()]))
      await this.store.writePart({
        manifest: archived.manifest,
        operations: archived.summary.operations,
        chunks,
        seals: archived.seals,
      })
      await this.follow(period)
    })
    this.kinds.add('repair')
  }

  /** A value on disk is not what was written. */
  private async damage(): Promise<void> {
    const period = this.pick()
    const places = await this.store.listPlacesOf(period)
    if (places.length === 0) return
    const key = encodeBodyKey(period, this.random.pick(places))
    await this.change(period, false, async () => {
      const stored = await this.bodies.get(key)
      if (!stored) return
      // A copy: whoever has read it keeps what he read.
      const value = Uint8Array.from(stored)
      value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1
      this.damaged.add(period)
      await this.bodies.write([{ type: 'put', key, value }], { sync: true })
    })
    this.kinds.add('damage')
  }

  /** As `verify --repair` does: writes a period over what is there. */
  private async mend(): Promise<void> {
    const period = this.pick()
    const archived = ARCHIVED[period]
    if (!archived || (await this.store.listPlacesOf(period)).length === 0 || period < this.oldest) return
    await this.change(period, true, async () => {
      await this.store.replacePeriod(archived)
      this.damaged.delete(period)
      await this.follow(period)
    })
    this.kinds.add('mend')
  }

  private async archive(): Promise<void> {
    const period = this.next
    const archived = ARCHIVED[period]
    if (!archived) return
    this.next++
    await this.change(period, true, async () => {
      await this.store.writePeriod(archived)
      await this.follow(period)
    })
    this.kinds.add('archive')
  }

  private async deleteOldest(): Promise<void> {
    const period = this.oldest
    if (period >= this.next - 2) return
    this.oldest++
    await this.change(period, false, async () => {
      await this.store.deletePeriods(0, period)
      await pause(this.random, 10)
      await this.indexing(() => this.sync.forget(0, period))
    })
    this.kinds.add('delete')
  }

  private async follow(period: Period): Promise<void> {
    await pause(this.random, 10)
    await this.indexing(() => this.sync.follow(period))
  }

  /** One at a time, as the indexer does. */
  private indexing(work: () => Promise<void>): Promise<void> {
    this.tail = this.tail.then(work)
    return this.tail
  }

  private async change(period: Period, makesWhole: boolean, work: () => Promise<void>): Promise<void> {
    const began = (this.changes.get(period) ?? 0) + 1
    this.changes.set(period, began)
    this.whole.delete(period)
    await work().catch(unlessDamaged)
    // Others that change it at the same time leave it as they do.
    const isAlone = this.changes.get(period) === began
    if (makesWhole && isAlone && !this.damaged.has(period) && period >= this.oldest) this.whole.add(period)
    this.changes.set(period, (this.changes.get(period) ?? 0) + 1)
  }

  private pick(): Period {
    return this.oldest + this.random.int(this.next - this.oldest)
  }
}

/** What is damaged is left to who mends it. */
function unlessDamaged(error: unknown): undefined {
  if (!isArchiveError(error, 'STORE_VALUE_CORRUPT')) throw error
}
