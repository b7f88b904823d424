import type { Period } from '../../core/index.ts'
import type { Store } from '../open-store.ts'
import { HistorySync } from './history-sync.ts'
import { openHistory } from './open-history.ts'

/** Makes the history index of an archive anew that no sidecar has open. */
export async function rebuildHistory(
  store: Pick<Store, 'dataDir' | 'chunks' | 'disk'>,
  onPeriod: (period: Period) => void,
  signal: AbortSignal,
): Promise<{ readonly indexedPeriods: number; readonly partialPeriods: number; readonly isComplete: boolean }> {
  const { index } = await openHistory(store.dataDir, store.chunks.identity)
  try {
    const sync = new HistorySync({ store: store.chunks, index, disk: store.disk })
    await sync.rebuild(onPeriod, signal)
    const { indexedPeriods, partialPeriods } = sync
    return { indexedPeriods, partialPeriods, isComplete: !signal.aborted }
  } finally {
    await index.close()
  }
}
