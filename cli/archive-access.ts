import { availableParallelism } from 'node:os'
import { type HistoryPort, type Query, type QueryRequest, type QueryRow, runQuery } from '../api/queries.ts'
import type { Config } from '../config/index.ts'
import { isArchiveError } from '../core/index.ts'
import { checkHistory, openStore, rebuildHistory } from '../storage-worker/index.ts'
import { askSidecar } from './ask-sidecar.ts'
import type { Sidecar } from './call-sidecar.ts'
import { findAnswering } from './find-sidecar.ts'

/**
 * Asks the archive in `data_dir`: opens it, or asks the sidecar that has it open. Both run the same query.
 *
 * @param own - what a query needs beside the archive, when this process opens it
 * @throws ArchiveError STORE_* when there is no archive, CLI_SIDECAR_UNREACHABLE when its process does not answer
 */
export async function* queryArchive(
  config: Config,
  request: QueryRequest,
  signal: AbortSignal,
  own: Pick<Query, 'refetchPeriod' | 'findRoles' | 'mayGo'> & { readonly rebuild?: boolean } = {},
): AsyncGenerator<QueryRow> {
  let store: Awaited<ReturnType<typeof openStore>>
  try {
    store = await openStore({
      dataDir: config.dataDir,
      ballastBytes: 0,
      repair: request.kind === 'verify' && request.repair,
      chunkSizeBytes: config.chunkSize,
      rebuild: own.rebuild ?? false,
      signal,
    })
  } catch (error) {
    const sidecar = await findHolder(error, config, signal)
    if (!sidecar) throw error
    yield* askSidecar(sidecar, '/v1/query', { body: request, signal })
    return
  }
  try {
    const threads = config.cpu.threads || availableParallelism()
    const { rebuild: _, ...ports } = own
    const history: HistoryPort = {
      rebuild: (onPeriod, until) => rebuildHistory(store, onPeriod, until),
      check: (options, repair, until) => checkHistory(store, options, repair, until),
    }
    yield* runQuery({ store, threads, history, ...ports }, request, signal)
  } finally {
    await store.close()
  }
}

/** Who can be asked instead: the process that has it open, also when its files are another user's. */
export async function findHolder(error: unknown, config: Config, signal: AbortSignal): Promise<Sidecar | undefined> {
  if (isArchiveError(error, 'STORE_ACCESS_DENIED')) return findAnswering(config, signal)
  if (!isArchiveError(error, 'STORE_LOCKED')) return undefined
  const { apiUrl } = error.context
  return typeof apiUrl === 'string' ? { url: apiUrl, dataDir: config.dataDir } : undefined
}
