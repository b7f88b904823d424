import { availableParallelism } from 'node:os'
import { type ImportRequest, runImport } from '../api/imports.ts'
import type { QueryRow } from '../api/queries.ts'
import { TOKEN_HEADER } from '../api/token-header.ts'
import { CpuPool } from '../archiver/cpu-pool.ts'
import type { Config } from '../config/index.ts'
import type { StoreIdentity } from '../core/index.ts'
import { readApiToken } from '../storage-worker/api-token.ts'
import type { FileCpu } from '../storage-worker/archive-file/check-period.ts'
import { openArchiveFile } from '../storage-worker/archive-file/file-reader.ts'
import { openSource } from '../storage-worker/archive-file/open-source.ts'
import { openStore, readIdentity, type Store } from '../storage-worker/index.ts'
import { checkIdentity } from '../storage-worker/store-identity.ts'
import { findHolder } from './archive-access.ts'
import { askSidecar } from './ask-sidecar.ts'

/**
 * Imports into the archive in `data_dir`, or has the sidecar do it that has it open. Where there is none yet one is made, for the
 * network that is configured.
 *
 * @param given - for tests: in place of worker threads
 * @throws ArchiveError STORE_*, CLI_SIDECAR_UNREACHABLE, API_TOKEN_WRONG, API_IMPORT_APART
 */
export async function* importToArchive(
  config: Config,
  request: ImportRequest,
  signal: AbortSignal,
  given?: FileCpu,
): AsyncGenerator<QueryRow> {
  const { dataDir, allocatedStorageGb: quotaGb, store: limits } = config
  const identity = (await readIdentity(dataDir))?.identity ?? identityOf(config)
  let store: Store
  try {
    // Before an archive is made of which the file is none.
    await checkSource(request.source, identity, signal)
    store = await openStore({
      dataDir,
      identity,
      quotaGb,
      freeFloorBytes: limits.minFreeBytes,
      ballastBytes: 0,
      signal,
    })
  } catch (error) {
    const sidecar = await findHolder(error, config, signal)
    if (!sidecar) throw error
    const headers = { [TOKEN_HEADER]: (await readApiToken(dataDir)) ?? '' }
    yield* askSidecar(sidecar, '/v1/imports', { body: request, headers, signal })
    return
  }
  // One is kept free for archiving, of which there is none here.
  const threads = (config.cpu.threads || availableParallelism()) + 1
  const pool = given ? undefined : new CpuPool({ threads })
  const cpu = given ?? pool
  try {
    if (cpu) yield* runImport(request, { store: store.chunks, cpu }, signal)
  } finally {
    await pool?.close()
    await store.close()
  }
}

function identityOf({ node, chunkSize }: Config): StoreIdentity {
  const { chainId, genesisTimestampMs } = node
  return { network: { chainId, genesisTimestampMs }, chunkSizeBytes: chunkSize }
}

async function checkSource(name: string, identity: StoreIdentity, signal: AbortSignal): Promise<void> {
  const source = await openSource(name, signal)
  try {
    checkIdentity(identity, (await openArchiveFile(source)).identity)
  } finally {
    await source.close()
  }
}
