import { guardLoop, parseAttestedExecutions, type SlotExecution, StoreWatch } from '../../archiver/index.ts'
import {
  type ArchiveError,
  type AttestedPlace,
  type Clock,
  concatBytes,
  isArchiveError,
  Loop,
  type Period,
  parseAddress,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { LevelChunkStore } from '../chunk-store.ts'
import type { DiskSpace } from '../disk-space.ts'
import { HistoryIndex } from './history-index.ts'
import { MAX_INDEXED_PERIOD } from './history-keys.ts'

/** What was not noted is found by then: periods that came or went without anybody saying so. */
const COMPARE_MS = 600_000
/** Noted ones are indexed so soon. */
const LOOK_MS = 200
/** Entries of a period are some twentieth of it; at least so much is asked of the disk for them. */
const MIN_ROOM_BYTES = 64 * 1024

export interface HistoryStatus {
  readonly indexedPeriods: number
  /** Held in part, and never whole while there was an index: nothing of them can be found by name. */
  readonly partialPeriods: number
  /** False until archive and index were compared once. */
  readonly isComplete: boolean
  readonly failing?: ArchiveError
}

export interface HistoryIndexerModules {
  readonly store: Pick<
    LevelChunkStore,
    'identity' | 'listSummaries' | 'readSummary' | 'readManifest' | 'readChunk' | 'readHolding' | 'readExecutionResults'
  >
  readonly index: HistoryIndex
  readonly disk?: Pick<DiskSpace, 'checkRoom'> | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly onFatal: (error: ArchiveError) => void
}

/**
 * Keeps the history index what the archive is: periods are indexed soon after they are whole on this disk, and forgotten
 * when they are deleted. A period of which chunks were let go of stays indexed.
 */
export class HistoryIndexer {
  private readonly modules: HistoryIndexerModules
  private readonly loop: Loop
  private readonly watch: StoreWatch
  private readonly noted = new Set<Period>()
  private comparedAtMs = Number.NEGATIVE_INFINITY
  private running: Promise<void> | undefined
  private indexedPeriods = 0
  private partialPeriods = 0
  private stalePeriods = 0

  constructor(modules: HistoryIndexerModules) {
    this.modules = modules
    this.watch = new StoreWatch(
      { failed: 'history index not written', again: 'history index can be written again' },
      modules.log,
    )
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  start(): void {
    this.running ??= guardLoop('history index', this.loop.start(), this.modules.onFatal)
  }

  async stop(): Promise<void> {
    await this.loop.stop()
    await this.running
  }

  /** Something of this period came or went. */
  note(period: Period): void {
    this.noted.add(period)
  }

  status(): HistoryStatus {
    const { indexedPeriods, partialPeriods } = this
    const failing = this.watch.failing
    const isComplete = this.comparedAtMs !== Number.NEGATIVE_INFINITY && this.noted.size === 0
    return { indexedPeriods, partialPeriods, isComplete, ...(failing ? { failing } : {}) }
  }

  /** Indexes what lacks, forgets what is gone. Also called by who builds an index anew, without the loop. */
  async compare(onPeriod: (period: Period) => void = () => undefined, signal?: AbortSignal): Promise<void> {
    const { store, index } = this.modules
    const indexed = index.listPeriods(0, MAX_INDEXED_PERIOD)
    let next = await indexed.next()
    let indexedPeriods = 0
    let partialPeriods = 0
    const forget = async (from: Period, to: Period) => {
      this.stalePeriods += await index.forgetPeriods(from, to)
    }
    for await (const { period } of store.listSummaries({ from: 0, to: MAX_INDEXED_PERIOD })) {
      if (signal?.aborted) return
      while (!next.done && next.value < period) {
        await forget(next.value, next.value)
        next = await indexed.next()
      }
      const isIndexed = !next.done && next.value === period
      if (isIndexed) next = await indexed.next()
      if (isIndexed || (await this.indexPeriod(period))) indexedPeriods++
      else partialPeriods++
      onPeriod(period)
    }
    while (!next.done && !signal?.aborted) {
      await forget(next.value, next.value)
      next = await indexed.next()
    }
    if (signal?.aborted) return
    this.indexedPeriods = indexedPeriods
    this.partialPeriods = partialPeriods
    if (HistoryIndex.isWorthSweeping(this.stalePeriods, indexedPeriods)) {
      await index.sweep(signal)
      this.stalePeriods = 0
    }
  }

  private async look(): Promise<void> {
    const { clock } = this.modules
    const isDue = clock.monotonicMs() - this.comparedAtMs >= COMPARE_MS
    if (this.noted.size === 0 && !isDue) return
    try {
      for (const period of [...this.noted].sort((a, b) => a - b)) {
        if (this.loop.signal.aborted) return
        await this.follow(period)
        this.noted.delete(period)
      }
      if (isDue) {
        await this.compare(undefined, this.loop.signal)
        if (!this.loop.signal.aborted) this.comparedAtMs = clock.monotonicMs()
      }
      this.watch.onSuccess()
    } catch (error) {
      this.watch.onError(error)
      await clock.sleep(10 * LOOK_MS, this.loop.signal)
    }
  }

  private async follow(period: Period): Promise<void> {
    const { store, index } = this.modules
    const isIndexed = (await index.readDirectory(period)) !== undefined
    if ((await store.readSummary(period)) === undefined) {
      const forgotten = await index.forgetPeriods(period, period)
      this.stalePeriods += forgotten
      this.indexedPeriods -= forgotten
    } else if (!isIndexed && (await this.indexPeriod(period))) this.indexedPeriods++
  }

  /** Returns false where the period is not whole here. Damage is left to who verifies: it counts as not here. */
  private async indexPeriod(period: Period): Promise<boolean> {
    const { store, index, disk } = this.modules
    try {
      const body = await this.readBody(period)
      if (!body) return false
      await disk?.checkRoom(Math.max(MIN_ROOM_BYTES, body.length))
      const results = await store.readExecutionResults(period)
      const place = { network: store.identity.network, period }
      const eventAddresses = results ? listEventAddresses(results, place) : new Map<number, Uint8Array[]>()
      await index.writePeriod({ period, body, eventAddresses })
      return true
    } catch (error) {
      if (isArchiveError(error, 'STORE_VALUE_CORRUPT') || isArchiveError(error, 'CORE_BODY_INVALID')) return false
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
