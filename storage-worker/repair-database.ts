import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { ArchiveError } from '../core/index.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { findDamagedTables } from './table-file.ts'

/**
 * Refuses a database with tables that LevelDB could not bear.
 *
 * @throws ArchiveError STORE_DATABASE_DAMAGED naming the first of them
 */
export function checkTables(level: GuardedLevel): void {
  const { name, location } = level
  const [first] = location === undefined ? [] : findDamagedTables(location, level.listTables(), false)
  if (!first) return
  throw new ArchiveError('STORE_DATABASE_DAMAGED', `${name}/${first.name}: ${first.reason}`, { name, file: first.name })
}

/**
 * Makes a database open again from the tables that are sound; others are moved into `damaged`, nothing is deleted.
 *
 * @remarks the caller makes sure that no process has the database open
 */
export async function repairDatabase(location: string): Promise<void> {
  for (const { name } of findDamagedTables(location, undefined, true)) {
    await mkdir(join(location, 'damaged'), { recursive: true })
    await rename(join(location, name), join(location, 'damaged', name))
  }
  await ClassicLevel.repair(location)
}
