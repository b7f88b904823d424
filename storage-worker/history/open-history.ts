import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ByteWriter, equalBytes, isArchiveError, type StoreIdentity } from '../../core/index.ts'
import { checkDatabaseFiles } from '../database-files.ts'
import { GuardedLevel, type StoreLevel } from '../guarded-level.ts'
import { createClassicLevel, INDEX_OPTIONS } from '../level-options.ts'
import { checkTables } from '../repair-database.ts'
import { HistoryIndex } from './history-index.ts'
import { HISTORY_VERSION, metaKey } from './history-keys.ts'

export const HISTORY_FOLDER = 'history'
const IDENTITY_KEY = metaKey('identity')

export interface OpenedHistory {
  readonly index: HistoryIndex
  /** Why what was there was deleted, to be made again from the archive. */
  readonly discarded?: string
}

/**
 * Opens the history index of the archive in `dataDir`, or begins one. Who calls it has the archive open.
 *
 * One that is damaged, of another version or of another archive is deleted: the archive makes it again.
 *
 * @throws ArchiveError STORE_DISK_FULL, STORE_READ_ONLY, STORE_ACCESS_DENIED, STORE_OPEN_FAILED
 */
export async function openHistory(dataDir: string, identity: StoreIdentity): Promise<OpenedHistory> {
  const location = join(dataDir, HISTORY_FOLDER)
  const options = { ...INDEX_OPTIONS, createIfMissing: true }
  const wanted: StoreLevel = { name: HISTORY_FOLDER, location, create: () => createClassicLevel(location, options) }
  const discarded = existsSync(location) ? await findFault(wanted, identity) : undefined
  if (discarded !== undefined) await rm(location, { recursive: true })
  const level = await GuardedLevel.open(wanted)
  await level.write([{ type: 'put', key: IDENTITY_KEY, value: encodeIdentity(identity) }], { sync: true })
  return { index: new HistoryIndex(level), ...(discarded === undefined ? {} : { discarded }) }
}

async function findFault(wanted: StoreLevel, identity: StoreIdentity): Promise<string | undefined> {
  try {
    checkDatabaseFiles(wanted.name, wanted.location, new Map())
    const level = await GuardedLevel.open(wanted)
    try {
      checkTables(level)
      const value = await level.get(IDENTITY_KEY)
      if (value && equalBytes(value, encodeIdentity(identity))) return undefined
      return value ? 'it is of another version or archive' : 'nothing says what it is for'
    } finally {
      await level.close()
    }
  } catch (error) {
    if (!isArchiveError(error, 'STORE_DATABASE_DAMAGED') && !isArchiveError(error, 'STORE_READ_FAILED')) throw error
    return error.message
  }
}

function encodeIdentity({ network, chunkSizeBytes }: StoreIdentity): Uint8Array {
  const writer = new ByteWriter(32).u32(HISTORY_VERSION).u64(network.chainId).u64(network.genesisTimestampMs)
  return writer.u32(chunkSizeBytes).finish()
}
