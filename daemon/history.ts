import type { Config } from '../config/index.ts'
import type { ArchiveError, Clock } from '../core/index.ts'
import { HistoryIndexer, HistoryReader, openHistory, type Store } from '../storage-worker/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { StopSteps } from './stop-steps.ts'

/** The history index of a running sidecar, and what reads by it. */
export interface History {
  readonly indexer: HistoryIndexer
  readonly reader: HistoryReader
}

/** `undefined`: `history.enabled` is false. @throws ArchiveError of `openHistory` */
export async function startHistory(
  config: Config,
  modules: {
    readonly store: Store
    readonly clock: Clock
    readonly log: Logger
    readonly undo: StopSteps
    readonly onFatal: (error: ArchiveError) => void
  },
): Promise<History | undefined> {
  if (!config.history.enabled) return undefined
  const { store, clock, log, undo, onFatal } = modules
  const { index, discarded } = await openHistory(store.dataDir, store.chunks.identity)
  undo.push(() => index.close())
  if (discarded !== undefined) log.warn({ reason: discarded }, 'history index is made anew')
  const indexer = new HistoryIndexer({ store: store.chunks, index, disk: store.disk, clock, log, onFatal })
  indexer.start()
  undo.push(() => indexer.stop())
  return { indexer, reader: new HistoryReader({ store: store.chunks, index }) }
}
