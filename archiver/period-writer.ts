import {
  ArchiveError,
  type BlockIdText,
  type ChunkStore,
  type Clock,
  isArchiveError,
  type Period,
  type PeriodSummary,
  type Slot,
  type Spool,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { archivePeriod, type ReadyPeriod } from './archive-period.ts'
import type { CpuWork } from './cpu-pool.ts'
import type { SlotDecision } from './slot-ledger.ts'

/** Decided periods on their way to disk, lowest first, one at a time. */
export class PeriodWriter {
  private readonly attesterSeed: Uint8Array | undefined
  private readonly store: ChunkStore
  private readonly spool: Spool
  private readonly cpu: CpuWork
  private readonly clock: Clock
  private readonly log: Logger
  private readonly mayArchive: (period: Period) => boolean
  private readonly onArchived: (ready: ReadyPeriod, summary: PeriodSummary) => Promise<void>
  private readonly onLost: (slot: Slot, id: BlockIdText) => void
  private readonly onHalt: (error: ArchiveError) => void

  private readonly ready = new Map<Period, ReadyPeriod>()
  private wakened = new AbortController()
  private stalledBy: ArchiveError | undefined

  constructor(
    options: { readonly attesterSeed: Uint8Array | undefined },
    modules: {
      readonly store: ChunkStore
      readonly spool: Spool
      readonly cpu: CpuWork
      readonly clock: Clock
      readonly log: Logger
      readonly mayArchive: (period: Period) => boolean
      readonly onArchived: (ready: ReadyPeriod, summary: PeriodSummary) => Promise<void>
      readonly onLost: (slot: Slot, id: BlockIdText) => void
      /** A period that cannot be archived, by damage or a bug: `mayArchive` has to say no from now on. */
      readonly onHalt: (error: ArchiveError) => void
    },
  ) {
    this.attesterSeed = options.attesterSeed
    this.store = modules.store
    this.spool = modules.spool
    this.cpu = modules.cpu
    this.clock = modules.clock
    this.log = modules.log
    this.mayArchive = modules.mayArchive
    this.onArchived = modules.onArchived
    this.onLost = modules.onLost
    this.onHalt = modules.onHalt
  }

  /** Why the store cannot be written at the moment, if so. */
  get stalled(): ArchiveError | undefined {
    return this.stalledBy
  }

  has(period: Period): boolean {
    return this.ready.has(period)
  }

  /** Somebody else has archived it, or it is not kept any more. */
  drop(period: Period): void {
    this.ready.delete(period)
  }

  /** Periods that are decided and not written yet. */
  listReady(): Period[] {
    return [...this.ready.keys()]
  }

  add(period: Period, decisions: readonly SlotDecision[]): void {
    this.ready.set(period, { period, decisions, decidedAtMs: this.clock.monotonicMs() })
    this.wake()
  }

  /** Something changed: what may be archived is looked at again. */
  wake(): void {
    this.wakened.abort()
  }

  /** Runs until `signal` aborts; the period in hand is finished first. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true })
    while (!signal.aborted) {
      const ready = this.pick()
      if (ready) await this.write(ready, signal)
      else await this.rest()
    }
  }

  private async rest(): Promise<void> {
    this.wakened = new AbortController()
    await this.clock.sleep(60_000, this.wakened.signal)
  }

  private async write(ready: ReadyPeriod, signal: AbortSignal): Promise<void> {
    const summary = await this.tryArchive(ready, signal)
    if (!summary) return
    this.stalledBy = undefined
    // It waits until it may be archived again, as one that was never picked.
    if (summary === 'failed' || summary === 'held') return
    this.ready.delete(ready.period)
    if (summary !== 'lost') await this.onArchived(ready, summary)
  }

  private async tryArchive(
    ready: ReadyPeriod,
    signal: AbortSignal,
  ): Promise<PeriodSummary | 'lost' | 'held' | 'failed' | undefined> {
    const { store, spool, cpu, clock, log, attesterSeed, mayArchive, onLost } = this
    const onStalled = (error: unknown): void => {
      this.stalledBy = toArchiveError(ready.period, error)
    }
    try {
      const modules = { store, spool, cpu, clock, log, attesterSeed, mayArchive, onStalled, onLost }
      return await archivePeriod(ready, modules, signal)
    } catch (error) {
      this.onHalt(toArchiveError(ready.period, error))
      return 'failed'
    }
  }

  /** The lowest period that is decided, unless it may not be archived now. */
  private pick(): ReadyPeriod | undefined {
    const lowest = Math.min(...this.ready.keys())
    return this.mayArchive(lowest) ? this.ready.get(lowest) : undefined
  }
}

/** Its own code where it has one. */
function toArchiveError(period: Period, cause: unknown): ArchiveError {
  if (isArchiveError(cause)) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ArchiveError('ARCHIVER_PERIOD_FAILED', `period ${period} cannot be archived: ${reason}`, { period }, cause)
}
