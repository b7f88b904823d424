import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { ArchiveError, compareBytes } from '../core/index.ts'
import { chooseDamagedName, DAMAGED_FOLDER } from './database-logs.ts'
import { GuardedLevel, type StoreLevel } from './guarded-level.ts'
import { findDamagedTables, listTableFiles } from './table-file.ts'
import { readKeyRange } from './table-scan.ts'

const BEFORE_ALL = new Uint8Array(0)
/** Longer than any key, and behind it. */
const BEYOND_ALL = new Uint8Array(64).fill(0xff)

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
 * Makes a database open again from its tables and logs, whatever else of it is damaged. What `mendTables` could not make
 * sound is moved into `damaged`, nothing is deleted.
 *
 * @remarks the caller makes sure that no process has the database open
 */
export async function repairDatabase(level: StoreLevel): Promise<void> {
  const { location } = level
  for (const { name } of findDamagedTables(location, undefined, true)) {
    await mkdir(join(location, DAMAGED_FOLDER), { recursive: true })
    await rename(join(location, name), chooseDamagedName(location, name))
  }
  const before = new Set(listTableFiles(location, undefined))
  await ClassicLevel.repair(location)
  const made = listTableFiles(location, undefined).filter((name) => !before.has(name))
  if (made.length > 0) await decompressTables(level, { before: [...before], made })
}

/** Tables that a repair makes of logs are compressed, whatever the options say; what we read outside LevelDB is not. */
async function decompressTables(
  level: StoreLevel,
  tables: { readonly before: readonly string[]; readonly made: readonly string[] },
): Promise<void> {
  const database = await GuardedLevel.open(level)
  try {
    const numbers = tables.made.map((name) => Number.parseInt(name, 10))
    const firstKeys = tables.before.flatMap((name) => readKeyRange(join(level.location, name))?.first ?? [])
    // Logs hold what is newest: mostly keys behind those of all tables. Compacting everything may take hours.
    const newest = firstKeys.toSorted(compareBytes).at(-1)
    for (const from of newest ? [newest, BEFORE_ALL] : [BEFORE_ALL]) {
      if (numbers.some((number) => database.listTables()?.has(number))) await database.compact(from, BEYOND_ALL)
    }
  } finally {
    await database.close()
  }
}
