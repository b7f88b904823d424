import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import type { SlotExecution } from '../../archiver/execution-results.ts'
import {
  type AttestedPlace,
  BlockFinder,
  concatBytes,
  isArchiveError,
  type Period,
  parseAddress,
} from '../../core/index.ts'
import type { LevelChunkStore } from '../chunk-store.ts'
import type { DiskSpace } from '../disk-space.ts'
import { listEntries } from './block-directory.ts'
import { HistoryIndex } from './history-index.ts'
import { MAX_INDEXED_PERIOD } from './history-keys.ts'
import type { IndexedPeriod } from './period-entries.ts'

/** Entries of a period are some fifth of it; at least so much is asked of the disk for them. */
const MIN_ROOM_BYTES = 64 * 1024

export interface HistorySyncModules {
  readonly store: Pick<
    LevelChunkStore,
    | 'identity'
    | 'readRange'
    | 'listSummaries'
    | 'readSummary'
    | 'readManifest'
    | 'readChunk'
    | 'readHolding'
    | 'readExecutionResults'
  >
  readonly index: HistoryIndex
  readonly disk?: Pick<DiskSpace, 'checkRoom'> | undefined
}

export interface HistoryCheckOptions {
  readonly from: Period
  readonly to: Period
  /** At equal distances so many, at least 2. Absent: all that are indexed. */
  readonly most?: number | undefined
}

/**
 * Makes the history index what the archive is. A period of which chunks were let go of stays indexed; one that was never
 * whole here is not.
 *
 * One call at a time: what is indexed during a sweep would be swept.
 */
export class HistorySync {
  private readonly modules: HistorySyncModules
  /** As of the last comparison, and what was done since. */
  indexedPeriods = 0
  /** As of the last comparison. */
  partialPeriods = 0
  /** Forgotten, with entries left. */
  private stalePeriods = 0

  constructor(modules: HistorySyncModules) {
    this.modules = modules
  }

  /** Indexes what lacks, forgets what is gone. @throws ArchiveError STORE_* of the index */
  async compare(onPeriod: (period: Period) => void = () => undefined, signal?: AbortSignal): Promise<void> {
    const { store, index } = this.modules
    const indexed = index.listPeriods(0, MAX_INDEXED_PERIOD)
    let next = await indexed.next()
    let indexedPeriods = 0
    let partialPeriods = 0
    for await (const { period } of store.listSummaries({ from: 0, to: MAX_INDEXED_PERIOD })) {
      if (signal?.aborted) return
      while (!next.done && next.value < period) {
        this.stalePeriods += await index.forgetPeriods(next.value, next.value)
        next = await indexed.next()
      }
      const isIndexed = !next.done && next.value === period
      if (isIndexed) next = await indexed.next()
      if (isIndexed || (await this.indexPeriod(period))) indexedPeriods++
      else partialPeriods++
      onPeriod(period)
    }
    for (; !next.done && !signal?.aborted; next = await indexed.next()) {
      this.stalePeriods += await index.forgetPeriods(next.value, next.value)
    }
    if (signal?.aborted) return
    index.noteCompared()
    this.indexedPeriods = indexedPeriods
    this.partialPeriods = partialPeriods
    if (!HistoryIndex.isWorthSweeping(this.stalePeriods, indexedPeriods)) return
    await index.sweep(signal)
    this.stalePeriods = 0
  }

  /** After something of a period came or went. */
  async follow(period: Period): Promise<void> {
    const { store, index } = this.modules
    if ((await store.readSummary(period)) === undefined) await this.forget(period, period)
    else if (!(await index.readDirectory(period)) && (await this.indexPeriod(period))) this.indexedPeriods++
  }

  async forget(from: Period, to: Period): Promise<void> {
    const forgotten = await this.modules.index.forgetPeriods(from, to)
    this.stalePeriods += forgotten
    this.indexedPeriods = Math.max(0, this.indexedPeriods - forgotten)
  }

  /** Makes the index anew; until it is there, nobody is told that something is not archived. */
  async rebuild(onPeriod: (period: Period) => void, signal: AbortSignal): Promise<void> {
    await this.modules.index.clear(signal)
    await this.compare(onPeriod, signal)
  }

  /**
   * Compares indexed periods with what is archived of them, those alone that are whole here. Others may write meanwhile.
   *
   * @returns periods of which the index has not what it should
   */
  async check(options: HistoryCheckOptions, signal?: AbortSignal): Promise<Period[]> {
    const { index } = this.modules
    const different: Period[] = []
    for await (const period of this.pickIndexed(options)) {
      if (signal?.aborted) break
      const indexed = await this.readIndexed(period)
      if (!indexed || (await index.isRight(indexed))) continue
      // It may have been forgotten since.
      if (await index.isIndexed(period)) different.push(period)
    }
    return different
  }

  /** Writes what the index has of these periods anew. */
  async renew(periods: readonly Period[]): Promise<void> {
    for (const period of periods) await this.indexPeriod(period)
  }

  private async *pickIndexed({ from, to, most }: HistoryCheckOptions): AsyncGenerator<Period> {
    const { index, store } = this.modules
    const archived = await store.readRange()
    if (!archived) return
    const first = Math.max(from, archived.first)
    const last = Math.min(to, archived.last, MAX_INDEXED_PERIOD)
    if (most === undefined || last - first < most) return yield* index.listPeriods(first, last)
    for (let i = 0; i < most; i++) {
      const period = first + Math.floor((i * (last - first)) / Math.max(1, most - 1))
      if (await index.isIndexed(period)) yield period
    }
  }

  /** Returns false where the period is not whole here. */
  private async indexPeriod(period: Period): Promise<boolean> {
    const { index, disk } = this.modules
    const indexed = await this.readIndexed(period)
    if (!indexed) return false
    await disk?.checkRoom(Math.max(MIN_ROOM_BYTES, indexed.body.length))
    await index.writePeriod(indexed)
    return true
  }

  /** `undefined` where it is not whole here. Damage is left to who verifies: it counts as not here. */
  private async readIndexed(period: Period): Promise<IndexedPeriod | undefined> {
    const { store } = this.modules
    try {
      const body = await this.readBody(period)
      if (!body) return undefined
      const results = await store.readExecutionResults(period)
      const place = { network: store.identity.network, period }
      const eventAddresses = results ? listEventAddresses(results, place) : new Map<number, Uint8Array[]>()
      const finder = new BlockFinder()
      finder.pass(body, true)
      return { period, body, blocks: listEntries(finder), eventAddresses }
    } catch (error) {
      if (isArchiveError(error, 'STORE_VALUE_CORRUPT') || isArchiveError(error, 'CORE_BODY_INVALID')) return undefined
      throw error
    }
  }

  private async readBody(period: Period): Promise<Uint8Array | undefined> {
    const { store } = this.modules
    const manifest = await store.readManifest(period)
    if (!manifest || (await store.readHolding(period))?.missingChunks.length) return undefined
    const chunks: Uint8Array[] = []
    for (const [at] of manifest.chunks.entries()) {
      const chunk = await store.readChunk(period, at)
      if (!chunk) return undefined
      chunks.push(chunk)
    }
    return chunks.length === 1 ? chunks[0] : concatBytes(...chunks)
  }
}

/** Addresses in the call stacks of events, by thread; nothing of results that cannot be read. */
function listEventAddresses(results: Uint8Array, place: AttestedPlace): Map<number, Uint8Array[]> {
  const found = new Map<number, Uint8Array[]>()
  for (const [thread, execution] of readExecutions(results, place).entries()) {
    const texts = new Set(execution?.events.flatMap(({ callStack }) => callStack))
    const addresses = [...texts].flatMap((text) => readAddressText(text) ?? [])
    if (addresses.length > 0) found.set(thread, addresses)
  }
  return found
}

function readExecutions(results: Uint8Array, place: AttestedPlace): readonly (SlotExecution | undefined)[] {
  try {
    return parseAttestedExecutions(results, place).executions
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return []
  }
}

/** A node may have written anything there. */
function readAddressText(text: string): Uint8Array | undefined {
  try {
    return parseAddress(text)
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return undefined
  }
}
