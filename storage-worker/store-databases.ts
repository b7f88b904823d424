import { existsSync, readdirSync } from 'node:fs'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { type ClosingSizes, forgetClosingSizes, readClosingSizes, sizesOf } from './closing-sizes.ts'
import { checkDatabaseFiles } from './database-files.ts'
import { checkUnlocked, keepDamagedLogs } from './database-logs.ts'
import { GuardedLevel, type GuardedLevelOptions } from './guarded-level.ts'
import { repairDatabase } from './repair-database.ts'

/** A database of a store, not open. */
export type StoreLevel = GuardedLevelOptions & { readonly location: string }

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
 * Makes databases anew from what is sound of them, or empty where nothing is left.
 *
 * @param creating - the same, made when missing
 */
export async function rebuildDatabases(
  levels: readonly StoreLevel[],
  { dataDir, creating }: { readonly dataDir: string; readonly creating: readonly StoreLevel[] },
): Promise<void> {
  const sizes = readClosingSizes(dataDir)
  for (const { name, location } of levels) await checkUnlocked(name, location)
  for (const level of levels) {
    await keepDamagedLogs(level.location, sizesOf(sizes, level.name))
    if (readdirSync(level.location).length > 0) await repairDatabase(level)
  }
  await forgetClosingSizes(dataDir)
  for (const level of creating) await (await GuardedLevel.open(level)).close()
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
  return `${what}, of which waiting blocks, quarantine and known gaps are lost`
}
