import { existsSync, readdirSync } from 'node:fs'
import { copyFile, link, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isArchiveError } from '../core/index.ts'
import { listLostLogs } from './database-files.ts'
import { GuardedLevel } from './guarded-level.ts'
import { createClassicLevel } from './level-options.ts'
import { findLogDamage } from './log-file.ts'

/** Where what could not be read is kept, in the folder of a database. */
export const DAMAGED_FOLDER = 'damaged'

/** Where in `damaged` a file of a database can be kept: under its own name, unless another has it. */
export function chooseDamagedName(location: string, file: string): string {
  const path = join(location, DAMAGED_FOLDER, file)
  for (let i = 1; ; i++) {
    const free = i === 1 ? path : `${path}.${i}`
    if (!existsSync(free)) return free
  }
}

/** Names of the logs in a folder that are not as they were written. */
export function listDamagedLogs(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => /^\d+\.log$/.test(name) && isDamaged(join(folder, name)))
}

/**
 * Before LevelDB opens a database: keeps damaged logs, since it drops what it cannot read of them and deletes the rest.
 *
 * They stay in `damaged` for `verify` to name until a repair is done with, and so does the name of a log that is gone.
 *
 * @param sizes - of logs, when the store was last closed
 */
export async function keepDamagedLogs(location: string, sizes: ReadonlyMap<string, number>): Promise<void> {
  for (const name of new Set([...listDamagedLogs(location), ...listLostLogs(location, sizes)])) {
    await mkdir(join(location, DAMAGED_FOLDER), { recursive: true })
    await keep(join(location, name), join(location, DAMAGED_FOLDER, name))
  }
}

/** After a repair: logs that were kept are named no more. */
export async function dismissDamagedLog(location: string, name: string): Promise<void> {
  const path = join(location, DAMAGED_FOLDER, name)
  await rename(path, `${path}.repaired`)
}

/**
 * Refuses a database that another process has open, without opening it: its lock alone is tried, from a folder beside.
 *
 * @throws ArchiveError STORE_LOCKED
 */
export async function checkUnlocked(name: string, location: string): Promise<void> {
  const folder = join(location, 'lock-check')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  try {
    await link(join(location, 'LOCK'), join(folder, 'LOCK'))
    const create = () => createClassicLevel(folder, { createIfMissing: false })
    await (await GuardedLevel.open({ name, create })).close()
  } catch (error) {
    // That there is no database in the folder is what an unlocked one says.
    if (isArchiveError(error, 'STORE_LOCKED')) throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isDamaged(path: string): boolean {
  try {
    return findLogDamage(path) !== undefined
  } catch (error) {
    // Deleted meanwhile: what it held is in a table.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** A second name takes no room on a full disk; not every file system has them. */
async function keep(path: string, copy: string): Promise<void> {
  if (existsSync(copy)) return
  if (!existsSync(path)) return writeFile(copy, '')
  await link(path, copy).catch(() => copyFile(path, copy))
}
