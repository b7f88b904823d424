import type { BlockIdText, Slot, Spool } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ArchivedIndex } from './archived-index.ts'
import { isStoreFailure } from './store-watch.ts'

export interface FinalMark {
  readonly slot: Slot
  readonly id: BlockIdText
}

/** Final blocks of slots that wait for their period; what a stop left behind of archived ones is cleared. */
export async function readPendingFinals(modules: {
  readonly spool: Spool
  readonly archived: ArchivedIndex
  readonly log: Logger
}): Promise<FinalMark[]> {
  const { spool, archived, log } = modules
  const stale: FinalMark[] = []
  const pending: FinalMark[] = []
  for await (const mark of spool.listFinals()) {
    const isStale = archived.has(mark.slot.period) || archived.isBefore(mark.slot.period)
    if (isStale) stale.push(mark)
    else pending.push(mark)
  }
  try {
    // Between archiving a period and clearing it.
    await spool.deleteBlocks(stale)
    await spool.deleteFinals(stale.map(({ slot }) => slot))
    for (const { slot } of stale) await spool.deleteExecutions(slot.period, slot.period)
  } catch (error) {
    if (!isStoreFailure(error)) throw error
    log.error({ err: error }, 'spool not cleared')
  }
  return pending
}
