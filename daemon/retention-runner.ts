import { guardLoop, StoreWatch } from '../archiver/index.ts'
import type { ArchiveError, ChunkStore, Period } from '../core/index.ts'
import { applyRetention, type EraRelease } from '../storage-worker/index.ts'
import type { Logger } from '../telemetry/index.ts'

/**
 * Deletes what retention lets go, whenever it is woken, one run at a time: at a start, after a period was archived, and
 * when there is no room for one.
 *
 * A store that refuses is said once and tried again the next time, damage too: archiving needs no old periods.
 * A bug ends through `onFatal`.
 */
export class RetentionRunner {
  private readonly retentionPeriods: number
  private readonly store: ChunkStore
  private readonly log: Logger
  private readonly onFatal: (error: ArchiveError) => void
  private readonly onPruned: (keptFrom: Period) => Promise<void>
  private readonly mayGo: EraRelease
  private readonly watch: StoreWatch
  /** Past its retention, and not anchored yet. */
  private keptEra: number | undefined
  private running: Promise<void> | undefined

  constructor(
    options: { readonly retentionPeriods: number },
    modules: {
      readonly store: ChunkStore
      readonly log: Logger
      readonly onFatal: (error: ArchiveError) => void
      /** With the first period that is kept. */
      readonly onPruned: (keptFrom: Period) => Promise<void>
      readonly mayGo: EraRelease
    },
  ) {
    this.retentionPeriods = options.retentionPeriods
    this.store = modules.store
    this.log = modules.log
    this.onFatal = modules.onFatal
    this.onPruned = modules.onPruned
    this.mayGo = modules.mayGo
    this.watch = new StoreWatch({ failed: 'periods not pruned', again: 'periods can be pruned again' }, modules.log)
  }

  /** Why old periods cannot be deleted at the moment, if so. */
  get failing(): ArchiveError | undefined {
    return this.watch.failing
  }

  wake(): void {
    this.running ??= guardLoop('retention', this.run(), this.onFatal).finally(() => {
      this.running = undefined
    })
  }

  async idle(): Promise<void> {
    await this.running
  }

  private tellKept(era: number | undefined): void {
    if (era !== undefined && era !== this.keptEra) {
      this.log.info({ era }, 'periods past their retention stay until their era is anchored')
    }
    this.keptEra = era
  }

  private async run(): Promise<void> {
    try {
      let keptEra: number | undefined
      const done = await applyRetention(this.store, this.retentionPeriods, async (era) => {
        const mayGo = await this.mayGo(era)
        if (!mayGo) keptEra = era
        return mayGo
      })
      this.watch.onSuccess()
      this.tellKept(keptEra)
      if (!done) return
      this.log.info({ firstPeriod: done.from, lastPeriod: done.to, bodyBytes: done.bodyBytes }, 'periods pruned')
      await this.onPruned(done.to + 1)
    } catch (error) {
      this.watch.onError(error)
    }
  }
}
