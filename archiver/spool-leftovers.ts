import type { Period, Slot, Spool } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ArchivedIndex } from './archived-index.ts'
import type { BlockIntake } from './block-intake.ts'
import type { PendingExecutions } from './pending-executions.ts'
import type { FinalBlock, PeriodRange, SlotLedger } from './slot-ledger.ts'
import { isStoreFailure } from './store-watch.ts'

/** How long blocks that lost stay in the spool (docs/ARCHITECTURE.md). */
const LOSER_PERIODS = 64

export interface SpoolLeftoversModules {
  readonly spool: Spool
  readonly intake: BlockIntake
  readonly executions: PendingExecutions
  readonly archived: ArchivedIndex
  readonly ledger: SlotLedger
  readonly log: Logger
}

/** What the spool kept of periods that nothing waits for any more. */
export class SpoolLeftovers {
  private readonly modules: SpoolLeftoversModules

  constructor(modules: SpoolLeftoversModules) {
    this.modules = modules
  }

  /** All of these periods. A spool that refuses is said, and cleared at the next start. */
  async clear({ from, to }: PeriodRange): Promise<void> {
    const { spool, intake, executions, log } = this.modules
    const isCleared = ({ slot }: { readonly slot: Slot }): boolean => slot.period >= from && slot.period <= to
    const blocks = intake.listBefore(to + 1).filter(isCleared)
    intake.forget(blocks)
    executions.forget(from, to)
    try {
      await spool.deleteBlocks(blocks)
      const finals: Slot[] = []
      for await (const final of spool.listFinals()) if (isCleared(final)) finals.push(final.slot)
      await spool.deleteFinals(finals)
      await spool.deleteExecutions(from, to)
    } catch (error) {
      if (!isStoreFailure(error)) throw error
      // As what an archived period leaves there, it is cleared at the next start.
      log.error({ firstPeriod: from, lastPeriod: to, err: error }, 'spool not cleared')
    }
  }

  /** What became part of an archived period. @throws what the spool throws */
  async clearArchived(period: Period, stored: readonly Pick<FinalBlock, 'id' | 'slot'>[]): Promise<void> {
    const { spool, executions, archived } = this.modules
    await spool.deleteBlocks(stored)
    await spool.deleteFinals(stored.map(({ slot }) => slot))
    const from = archived.isBefore(period - 1) ? 0 : period
    await spool.deleteExecutions(from, period)
    executions.forget(from, period)
  }

  /** Blocks that lost, long enough before this period. @throws what the spool throws */
  async clearLosers(period: Period): Promise<void> {
    const { spool, intake, ledger } = this.modules
    const losers = intake.listBefore(period - LOSER_PERIODS).filter((block) => !ledger.has(block.id))
    if (losers.length === 0) return
    intake.forget(losers)
    await spool.deleteBlocks(losers)
  }
}
