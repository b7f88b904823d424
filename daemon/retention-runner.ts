import { guardLoop, StoreWatch } from '../archiver/index.ts'
import type { ArchiveError, ChunkStore, Period } from '../core/index.ts'
import { applyRetention } from '../storage-worker/index.ts'
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
  private readonly watch: StoreWatch
  private running: Promise<void> | undefined

  constructor(
    options: { readonly retentionPeriods: number },
    modules: {
      readonly store: ChunkStore
      readonly log: Logger
      readonly onFatal: (error: ArchiveError) => void
      /** With the first period that is kept. */
      readonly onPruned: (keptFrom: Period) => Promise<void>
    },
  ) {
    this.retentionPeriods = options.retentionPeriods
    this.store = modules.store
    this.log = modules.log
    this.onFatal = modules.onFatal
    this.onPruned = modules.onPruned
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

  private async run(): Promise<void> {
    try {
      const done = await applyRetention(this.store, this.retentionPeriods)
      this.watch.onSuccess()
      if (!done) return
      this.log.info({ firstPeriod: done.from, lastPeriod: done.to, bodyBytes: done.bodyBytes }, 'periods pruned')
      await this.onPruned(done.to + 1)
    } catch (error) {
      this.watch.onError(error)
    }
  }
}
