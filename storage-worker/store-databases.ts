import { existsSync, readdirSync } from 'node:fs'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { type ClosingSizes, forgetClosingSizes, readClosingSizes, sizesOf } from './closing-sizes.ts'
import { checkDatabaseFiles } from './database-files.ts'
import { checkUnlocked, keepDamagedLogs } from './database-logs.ts'
import { GuardedLevel, type StoreLevel } from './guarded-level.ts'
import { type MendedTable, mendTables } from './mend-tables.ts'
import { repairDatabase } from './repair-database.ts'
import type { Damage } from './verify-report.ts'

/** Periods are indexed again; the rest of the index stands nowhere else. */
const INDEX_LOST = ', of which waiting blocks, quarantine and known gaps are lost'

/**
 * Looks at the files of the databases before LevelDB does, and keeps logs that it would drop.
 *
 * @throws ArchiveError STORE_DATABASE_DAMAGED, naming what is damaged of all of them
 */
export async function checkStoreFiles(levels: readonly StoreLevel[], sizes: ClosingSizes): Promise<void> {
  for (const { name, location } of levels) {
    if (existsSync(location)) await keepDamagedLogs(location, sizesOf(sizes, name))
  }
  const [first, ...others] = findFileDamages(levels, sizes)
  if (!first) return
  const text = [first, ...others].map(({ message }) => message).join('; ')
  throw new ArchiveError('STORE_DATABASE_DAMAGED', text, first.context)
}

/**
 * Names of what a repair is to mend: `error` is what opening ended with.
 *
 * Where a part of the index is gone the name says so: periods are indexed again from the bodies, the rest stands nowhere.
 */
export function nameDamages(levels: readonly StoreLevel[], error: ArchiveError, sizes: ClosingSizes): Set<string> {
  return new Set([error, ...findFileDamages(levels, sizes)].map(nameDamaged))
}

/**
 * Makes databases sound: tables from what can be read of them, then, where that is not all that is wrong, the database
 * from its tables, or empty where nothing is left.
 *
 * @param options.creating - the same, made when missing
 * @param options.onUnlocked - called once nobody else has them open, before anything is changed
 * @returns the tables that were damaged
 */
export async function rebuildDatabases(
  levels: readonly StoreLevel[],
  options: {
    readonly dataDir: string
    readonly creating: readonly StoreLevel[]
    readonly onUnlocked: () => Promise<void>
  },
): Promise<MendedTable[]> {
  const { dataDir, creating, onUnlocked } = options
  const sizes = readClosingSizes(dataDir)
  for (const { name, location } of levels) await checkUnlocked(name, location)
  await onUnlocked()
  const found: { readonly level: StoreLevel; readonly tables: MendedTable[]; readonly isSound: boolean }[] = []
  for (const level of levels) {
    await keepDamagedLogs(level.location, sizesOf(sizes, level.name))
    const wasSound = findFileDamages([level], sizes).length === 0
    const tables = await mendTables(level, { sealed: level.name === 'bodies', isSound: wasSound })
    const isSound = tables.every(({ isInPlace }) => isInPlace) && findFileDamages([level], sizes).length === 0
    found.push({ level, tables, isSound })
  }
  // Where nothing is to be seen, something that only LevelDB saw led here.
  const isExplained = found.some(({ tables, isSound }) => !isSound || tables.length > 0)
  for (const { level, isSound } of found) {
    if (isExplained && isSound) continue
    if (readdirSync(level.location).length > 0) await repairDatabase(level)
  }
  await forgetClosingSizes(dataDir)
  for (const level of creating) await (await GuardedLevel.open(level)).close()
  return found.flatMap(({ tables }) => tables)
}

/** How a report names a table that was damaged. */
export function describeMended({ what, values, kept }: MendedTable): Damage {
  const lost = what.startsWith('index') ? INDEX_LOST : ''
  const back = `${values} values are back`
  const partly =
    values > 0 ? `${back}, what it may lack lies in ${kept}` : `nothing of it can be read, it lies in ${kept}`
  const note = kept === undefined ? `all its ${back}` : partly
  return {
    what: kept === undefined ? what : `${what}${lost}`,
    code: 'STORE_DATABASE_DAMAGED',
    repairable: true,
    repaired: true,
    note,
  }
}

function findFileDamages(levels: readonly StoreLevel[], sizes: ClosingSizes): ArchiveError[] {
  return levels.flatMap(({ name, location }) => {
    try {
      checkDatabaseFiles(name, location, sizesOf(sizes, name))
      return []
    } catch (error) {
      if (isArchiveError(error, 'STORE_DATABASE_DAMAGED')) return [error]
      throw error
    }
  })
}

function nameDamaged({ context }: ArchiveError): string {
  const { name, file } = context
  const what = file ? `${name}/${file}` : `${name} database`
  if (name !== 'index' || (file !== undefined && !String(file).endsWith('.ldb'))) return what
  return `${what}${INDEX_LOST}`
}
