import { guardLoop } from '../../archiver/guard-loop.ts'
import { StoreWatch } from '../../archiver/store-watch.ts'
import { type ArchiveError, type Clock, Loop, type Period } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { type HistoryCheckOptions, HistorySync, type HistorySyncModules } from './history-sync.ts'

/** What was not noted is found by then: periods that came or went without anybody saying so. */
const COMPARE_MS = 600_000
/** Noted ones are indexed so soon. */
const LOOK_MS = 200
/** After a failure. */
const PAUSE_MS = 2_000

export interface HistoryStatus {
  readonly indexedPeriods: number
  /** Held in part, and never whole while there was an index: nothing of them can be found by name. */
  readonly partialPeriods: number
  /** False until archive and index were compared once, and while something waits. */
  readonly isComplete: boolean
  readonly failing?: ArchiveError
}

export interface HistoryIndexerModules extends HistorySyncModules {
  readonly clock: Clock
  readonly log: Logger
  readonly onFatal: (error: ArchiveError) => void
}

/** Keeps the history index beside a running sidecar: periods are indexed soon after they came, forgotten after they went. */
export class HistoryIndexer {
  private readonly modules: HistoryIndexerModules
  private readonly sync: HistorySync
  private readonly loop: Loop
  private readonly watch: StoreWatch
  private readonly noted = new Set<Period>()
  private keptFrom: Period = 0
  private forgottenBefore: Period = 0
  private comparedAtMs = Number.NEGATIVE_INFINITY
  private running: Promise<void> | undefined
  private tail: Promise<void> = Promise.resolve()

  constructor(modules: HistoryIndexerModules) {
    this.modules = modules
    this.sync = new HistorySync(modules)
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
    await this.tail
  }

  /** Something of this period came or went. */
  note(period: Period): void {
    this.noted.add(period)
  }

  /** Periods before were deleted. */
  forgetBefore(keptFrom: Period): void {
    this.keptFrom = Math.max(this.keptFrom, keptFrom)
  }

  /** Makes the index anew from the archive. */
  async rebuild(onPeriod: (period: Period) => void, signal: AbortSignal): Promise<HistoryStatus> {
    await this.exclusive(async () => {
      this.comparedAtMs = Number.NEGATIVE_INFINITY
      await this.sync.rebuild(onPeriod, signal)
      if (!signal.aborted) this.comparedAtMs = this.modules.clock.monotonicMs()
    })
    return this.status()
  }

  /** Compares the index with the archive, and mends it if that is wanted: `HistorySync.check`. */
  async check(options: HistoryCheckOptions, repair: boolean, signal: AbortSignal): Promise<Period[]> {
    const different = await this.sync.check(options, signal)
    if (repair) await this.exclusive(() => this.sync.renew(different))
    return different
  }

  /** Periods in which a block or an operation of this id may stand, the newest first. @param id - 33 bytes */
  async findPeriods(kind: 'blocks' | 'operations', id: Uint8Array): Promise<Period[]> {
    const places = await this.modules.index.findPlaces(kind, id)
    return [...new Set(places.map(({ period }) => period))].sort((a, b) => b - a)
  }

  status(): HistoryStatus {
    const { indexedPeriods, partialPeriods } = this.sync
    const { failing } = this.watch
    const isComplete = this.comparedAtMs !== Number.NEGATIVE_INFINITY && this.noted.size === 0
    return { indexedPeriods, partialPeriods, isComplete, ...(failing ? { failing } : {}) }
  }

  private async look(): Promise<void> {
    if (this.noted.size === 0 && this.keptFrom <= this.forgottenBefore && !this.isDue()) return
    try {
      await this.exclusive(() => this.catchUp())
      this.watch.onSuccess()
    } catch (error) {
      this.watch.onError(error)
      await this.modules.clock.sleep(PAUSE_MS, this.loop.signal)
    }
  }

  private isDue(): boolean {
    return this.modules.clock.monotonicMs() - this.comparedAtMs >= COMPARE_MS
  }

  private async catchUp(): Promise<void> {
    const { signal } = this.loop
    const { keptFrom } = this
    if (keptFrom > this.forgottenBefore) {
      await this.sync.forget(this.forgottenBefore, keptFrom - 1)
      this.forgottenBefore = keptFrom
    }
    for (const period of [...this.noted].sort((a, b) => a - b)) {
      if (signal.aborted) return
      await this.sync.follow(period)
      this.noted.delete(period)
    }
    if (!this.isDue()) return
    await this.sync.compare(undefined, signal)
    if (!signal.aborted) this.comparedAtMs = this.modules.clock.monotonicMs()
  }

  /** One at a time, as `HistorySync` wants it. */
  private exclusive(work: () => Promise<void>): Promise<void> {
    const done = this.tail.then(work)
    this.tail = done.catch(() => undefined)
    return done
  }
}
