import { type ChunkPlace, equalBytes, type Holding, type Manifest, type Period } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import { KeySum } from './key-sum.ts'
import { decodePeriod, keyspaceRange, periodRange } from './keyspace.ts'
import {
  decodePlaceKey,
  decodePlacePeriod,
  isIndexOf,
  isSummaryOf,
  placeKeys,
  type SummaryFacts,
} from './period-index.ts'
import type { OpenPeriods } from './table-periods.ts'
import type { WantedIndex } from './verify-bodies.ts'
import type { DamageList } from './verify-report.ts'

/** Periods whose index entries are asked for together. */
const PERIODS_PER_LOOK = 1000

export interface IndexCheckModules {
  readonly store: LevelChunkStore
  readonly damages: DamageList
}

/** Holds the index against the manifests of `bodies`: all that they want is there, and nothing else. */
export class IndexCheck {
  private readonly range: OpenPeriods
  private readonly modules: IndexCheckModules
  private readonly waiting: SummaryFacts[] = []
  /** Periods with a manifest. */
  private readonly checked: Period[] = []
  private readonly badSummaries = new Set<Period>()
  private readonly wantedPlaces = new KeySum()
  private intactSummaries = 0
  /** In the index, up to the last look. */
  private summaries = 0
  /** Where the next look begins. */
  private lookFrom: Period
  /** Of the places that the index has. */
  private places: Promise<KeySum> | undefined

  constructor(range: OpenPeriods, modules: IndexCheckModules) {
    this.range = range
    this.lookFrom = range.from
    this.modules = modules
  }

  /** What the index must have of one period; periods ascend. */
  expect({ facts, places }: WantedIndex): void {
    this.checked.push(facts.period)
    this.wantedPlaces.addParts(places.count, places.low, places.high)
    this.waiting.push(facts)
  }

  /** Call it now and then: looks at the index when that is worth it. */
  async look(): Promise<void> {
    this.readPlaces().catch(() => undefined)
    const last = this.waiting.at(-1)
    if (last && this.waiting.length >= PERIODS_PER_LOOK) await this.checkSummaries(last.period)
  }

  /** Call it when all periods were given. */
  async finish(): Promise<void> {
    await this.checkSummaries(this.range.to)
    await this.findStraySummaries()
    const places = await this.readPlaces()
    if (places.equals(this.wantedPlaces)) return
    await this.nameMissingPlaces()
    await this.nameStrayPlaces()
  }

  /** Begun at the first look: keys are read while threads hash. */
  private readPlaces(): Promise<KeySum> {
    this.places ??= this.sumIndexedPlaces()
    return this.places
  }

  private async sumIndexedPlaces(): Promise<KeySum> {
    const { index } = this.modules.store
    const places = new KeySum()
    for await (const page of index.keyPages(keyspaceRange('merkleRoots'))) {
      for (const key of page) if (this.isInRange(key)) places.add(key)
    }
    return places
  }

  /** Holds the summaries from the last look up to `to` against those that are waited for. */
  private async checkSummaries(to: Period): Promise<void> {
    const { index } = this.modules.store
    const wanted = this.waiting.splice(0)
    let at = 0
    for await (const page of index.entryPages(periodRange('periodSummaries', this.lookFrom, to))) {
      this.summaries += page.length
      for (const [key, value] of page) {
        const period = decodePeriod(key, 1)
        for (let facts = wanted[at]; facts && facts.period <= period; facts = wanted[++at]) {
          await this.judgeSummary(facts, facts.period === period ? value : undefined)
        }
      }
    }
    for (const facts of wanted.slice(at)) await this.judgeSummary(facts, undefined)
    this.lookFrom = to + 1
  }

  private async judgeSummary(facts: SummaryFacts, value: Uint8Array | undefined): Promise<void> {
    const { damages, store } = this.modules
    if (isSummaryOf(facts, value) || (await this.isIndexedNow(facts.period))) this.intactSummaries++
    else if (!(await store.isGone(facts.period))) {
      this.badSummaries.add(facts.period)
      damages.add(facts.period, 'index', 'STORE_INDEX_WRONG')
    }
  }

  /** Chunks that come or go change the summary: what was looked at earlier may be right by now. */
  private async isIndexedNow(period: Period): Promise<boolean> {
    const { store } = this.modules
    await store.settle()
    const manifest = await this.readManifest(period)
    const holding = await this.readHolding(period)
    return manifest !== undefined && holding !== 'damaged' && isIndexOf(store.index, manifest, holding)
  }

  /** Those that no period stands behind. */
  private async findStraySummaries(): Promise<void> {
    const { damages, store } = this.modules
    if (this.summaries <= this.intactSummaries) return
    const range = periodRange('periodSummaries', this.range.from, this.range.to)
    for await (const key of store.index.keys(range)) {
      const period = decodePeriod(key, 1)
      if (damages.has(period, 'manifest') || (await this.readManifest(period)) !== undefined) continue
      if (await store.isGone(period)) continue
      damages.add(period, 'manifest', 'STORE_VALUE_MISSING')
    }
  }

  private async nameMissingPlaces(): Promise<void> {
    const { damages, store } = this.modules
    for (const period of this.checked) {
      const manifest = this.badSummaries.has(period) ? undefined : await this.readManifest(period)
      const holding = await this.readHolding(period)
      const places = manifest && holding !== 'damaged' ? await store.index.getMany(placeKeys(manifest, holding)) : []
      if (places.some((place) => place === undefined)) damages.add(period, 'index', 'STORE_INDEX_WRONG')
    }
  }

  private async nameStrayPlaces(): Promise<void> {
    const { damages, store } = this.modules
    for await (const key of store.index.keys(keyspaceRange('merkleRoots'))) {
      if (!this.isInRange(key)) continue
      const place = decodePlaceKey(key)
      const manifest = place && (await this.readManifest(place.period))
      const chunk = place && manifest?.chunks[place.index]
      // Of a period whose manifest is damaged the damage is named already.
      const isKnown = place !== undefined && manifest === undefined && damages.has(place.period)
      const isOwn = chunk && place && equalBytes(chunk.chunkId, place.chunkId) && (await this.isHeld(place))
      if (isKnown || isOwn || !(await this.isStillIndexed(key))) continue
      damages.add(place?.period, 'index', 'STORE_INDEX_WRONG')
    }
  }

  /** A walk also gives keys that were deleted since it began. */
  private async isStillIndexed(key: Uint8Array): Promise<boolean> {
    const { store } = this.modules
    await store.settle()
    return (await store.index.get(key)) !== undefined
  }

  /** Where it is not known what is held, it may be. */
  private async isHeld({ period, index }: ChunkPlace): Promise<boolean> {
    const holding = await this.readHolding(period)
    return holding === 'damaged' || !holding?.missingChunks.includes(index)
  }

  private readHolding(period: Period): Promise<Holding | 'damaged' | undefined> {
    return this.modules.store.readHolding(period).catch(() => 'damaged' as const)
  }

  private isInRange(key: Uint8Array): boolean {
    const period = decodePlacePeriod(key)
    return period === undefined || (period >= this.range.from && period <= this.range.to)
  }

  private readManifest(period: Period): Promise<Manifest | undefined> {
    return this.modules.store.readManifest(period).catch(() => undefined)
  }
}
