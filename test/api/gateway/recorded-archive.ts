import type { ArchivedPeriod } from '../../../core/index.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { HistoryAnswers, HistoryReader, LevelChunkStore } from '../../../storage-worker/index.ts'
import { RECORDINGS } from '../../devnet/fixture.ts'
import { readRecordedPeriods } from '../../recorded-periods.ts'
import { openMemoryLevel } from '../../storage-worker/temp-store.ts'

/** Small, so that proofs need several. */
const CHUNK_SIZE_BYTES = 4096

export interface RecordedArchive {
  readonly periods: readonly ArchivedPeriod[]
  readonly store: LevelChunkStore
  readonly answers: HistoryAnswers
}

const opened = new Map<string, Promise<RecordedArchive>>()

/** What a real node said, archived and indexed, in memory; made once per process, and not to be written to. */
export function openRecordedArchive(path = RECORDINGS.push): Promise<RecordedArchive> {
  const archive = opened.get(path) ?? open(path)
  opened.set(path, archive)
  return archive
}

async function open(path: string): Promise<RecordedArchive> {
  const { identity, periods } = await readRecordedPeriods(path, CHUNK_SIZE_BYTES)
  const databases = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  const store = new LevelChunkStore(identity, databases)
  for (const period of periods) await store.writePeriod(period)
  const index = new HistoryIndex(await openMemoryLevel('history'))
  await new HistorySync({ store, index }).compare()
  return { periods, store, answers: new HistoryAnswers({ reader: new HistoryReader({ store, index }), store }) }
}
