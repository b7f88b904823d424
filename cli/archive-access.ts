import { availableParallelism } from 'node:os'
import * as z from 'zod'
import { type Query, type QueryRequest, type QueryRow, runQuery } from '../api/queries.ts'
import type { Config } from '../config/index.ts'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { openStore } from '../storage-worker/index.ts'
import { parseAnswer, parseRefusal, type Sidecar, streamSidecar } from './call-sidecar.ts'
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
    yield* askSidecar(sidecar, request, signal)
    return
  }
  try {
    const threads = config.cpu.threads || availableParallelism()
    const { rebuild: _, ...ports } = own
    yield* runQuery({ store, threads, ...ports }, request, signal)
  } finally {
    await store.close()
  }
}

/** Who can be asked instead: the process that has it open, also when its files are another user's. */
async function findHolder(error: unknown, config: Config, signal: AbortSignal): Promise<Sidecar | undefined> {
  if (isArchiveError(error, 'STORE_ACCESS_DENIED')) return findAnswering(config, signal)
  if (!isArchiveError(error, 'STORE_LOCKED')) return undefined
  const { apiUrl } = error.context
  return typeof apiUrl === 'string' ? { url: apiUrl, dataDir: config.dataDir } : undefined
}

const answerRow = z.union([
  z.strictObject({ row: z.looseObject({}) }),
  z.strictObject({ progress: z.looseObject({}) }),
  z.strictObject({ result: z.looseObject({}).nullable() }),
  z.strictObject({ error: z.object({ code: z.string(), message: z.string() }) }),
  // That it is alive.
  z.strictObject({ working: z.literal(true) }),
])

export async function* askSidecar(sidecar: Sidecar, body: QueryRequest, signal: AbortSignal): AsyncGenerator<QueryRow> {
  let hasResult = false
  for await (const answer of streamSidecar(sidecar, '/v1/query', { body, signal })) {
    const row = parseAnswer(answerRow, answer)
    if ('error' in row) throw parseRefusal(row.error) ?? new ArchiveError('CLI_SIDECAR_UNREACHABLE', row.error.message)
    if ('result' in row) hasResult = true
    if (!('working' in row)) yield row
  }
  signal.throwIfAborted()
  if (hasResult) return
  throw new ArchiveError('CLI_SIDECAR_UNREACHABLE', `the answer of ${sidecar.url} has no result`, { ...sidecar })
}
