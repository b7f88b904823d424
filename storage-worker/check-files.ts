import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isArchiveError } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import { readClosingSizes } from './closing-sizes.ts'
import { DAMAGED_FOLDER, dismissDamagedLog, listDamagedLogs } from './database-logs.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { readIdentityCopy, writeIdentityCopy } from './identity-copy.ts'
import { KEY_FILES, type KeyFile, readKey, repairKey } from './key-files.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { checkIdentity, IDENTITY_FILE, readIdentity, writeIdentity } from './store-identity.ts'
import type { Damage } from './verify-report.ts'

/** No key is in this range: compacting it does nothing but write what is in memory to a table. */
const NOWHERE = new Uint8Array(64).fill(0xff)

/**
 * Names what is damaged of the files beside the tables of an open archive: `store.json`, keys, logs.
 *
 * @param repair - write them again from what this process knows
 */
export async function checkFiles(dataDir: string, chunks: LevelChunkStore, repair: boolean): Promise<Damage[]> {
  const damages = await checkIdentityFile(dataDir, chunks, repair)
  for (const file of KEY_FILES) damages.push(...(await checkKeyFile(dataDir, file, repair)))
  for (const level of [chunks.bodies, chunks.index]) damages.push(...(await checkLogs(level, repair)))
  return damages
}

async function checkIdentityFile(dataDir: string, chunks: LevelChunkStore, repair: boolean): Promise<Damage[]> {
  const own = { identity: chunks.identity, schemaVersion: SCHEMA_VERSION }
  const damages: Damage[] = []
  const name = async (what: string, mend: () => Promise<void>) => {
    if (repair) await mend()
    damages.push({
      what,
      code: 'STORE_IDENTITY_DAMAGED',
      repairable: true,
      ...(repair ? { repaired: true } : {}),
    })
  }
  const isOwn = async () => {
    const stored = await readIdentity(dataDir)
    if (!stored) return false
    checkIdentity(stored.identity, chunks.identity)
    return true
  }
  if (!(await isOwn().catch(refuseOthers))) await name(IDENTITY_FILE, () => writeIdentity(dataDir, own))
  if (!(await readIdentityCopy(chunks.index))) await name('identity', () => writeIdentityCopy(chunks.index, own))
  return damages
}

async function checkKeyFile(dataDir: string, file: KeyFile, repair: boolean): Promise<Damage[]> {
  try {
    const key = await readKey(dataDir, file)
    if (key !== undefined || !readClosingSizes(dataDir).has(file)) return []
    return [{ what: file, code: 'STORE_KEY_INVALID', repairable: false, ...(repair ? { repaired: false } : {}) }]
  } catch (error) {
    if (!isArchiveError(error)) throw error
    const repaired = repair ? await repairKey(dataDir, file) : undefined
    return [{ what: file, code: error.code, repairable: true, ...(repaired === undefined ? {} : { repaired }) }]
  }
}

async function checkLogs(level: GuardedLevel, repair: boolean): Promise<Damage[]> {
  const { name, location } = level
  if (location === undefined) return []
  const folder = join(location, DAMAGED_FOLDER)
  const live = listDamagedLogs(location)
  const kept = existsSync(folder) ? readdirSync(folder).filter((file) => /^\d+\.log$/.test(file)) : []
  if (repair) {
    // What the log holds is in memory, too.
    if (live.length > 0) await level.compact(NOWHERE, NOWHERE)
    for (const file of kept) await dismissDamagedLog(location, file)
  }
  return [...new Set([...live, ...kept])].map((file) => ({
    what: `${name}/${file}`,
    code: 'STORE_LOG_DAMAGED' as const,
    repairable: true,
    ...(repair ? { repaired: true } : {}),
  }))
}

function refuseOthers(error: unknown): false {
  if (isArchiveError(error)) return false
  throw error
}
