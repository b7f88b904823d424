import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Period } from '../../core/index.ts'
import type { Store } from '../open-store.ts'
import { type HistoryCheckOptions, HistorySync } from './history-sync.ts'
import { HISTORY_FOLDER, openHistory } from './open-history.ts'

/** Compares the history index of an archive that no sidecar has open with what is archived, and mends it; without one nothing differs. */
export async function checkHistory(
  store: Pick<Store, 'dataDir' | 'chunks'>,
  options: HistoryCheckOptions,
  repair: boolean,
  signal: AbortSignal,
): Promise<Period[]> {
  if (!existsSync(join(store.dataDir, HISTORY_FOLDER))) return []
  const { index } = await openHistory(store.dataDir, store.chunks.identity)
  try {
    const sync = new HistorySync({ store: store.chunks, index })
    const different = await sync.check(options, signal)
    if (repair) await sync.renew(different)
    return different
  } finally {
    await index.close()
  }
}
