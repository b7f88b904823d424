import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes, type GatewayModules } from '../../../api/gateway/gateway.ts'
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
  readonly reader: HistoryReader
  readonly answers: HistoryAnswers
}

const made = new Map<string, Promise<RecordedArchive>>()

/** A real node's blocks, archived and indexed in memory. Made once for all tests, which only read it. */
export function openRecordedArchive(path = RECORDINGS.push): Promise<RecordedArchive> {
  const archive = made.get(path) ?? make(path)
  made.set(path, archive)
  return archive
}

/** The gateway of that archive, but for what is given. */
export async function openRecordedGateway(modules: Partial<GatewayModules> = {}): Promise<FastifyInstance> {
  const { store, answers } = await openRecordedArchive()
  const server = fastify()
  addGatewayRoutes(server, { history: answers, store, ...modules })
  return server
}

async function make(path: string): Promise<RecordedArchive> {
  const { identity, periods } = await readRecordedPeriods(path, CHUNK_SIZE_BYTES)
  const databases = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  const store = new LevelChunkStore(identity, databases)
  for (const period of periods) await store.writePeriod(period)
  const index = new HistoryIndex(await openMemoryLevel('history'))
  await new HistorySync({ store, index }).compare()
  const reader = new HistoryReader({ store, index })
  return { periods, store, reader, answers: new HistoryAnswers({ reader, store }) }
}
