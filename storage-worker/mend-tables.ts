import { readFileSync } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readDatabaseVersion } from './database-files.ts'
import { chooseDamagedName, DAMAGED_FOLDER } from './database-logs.ts'
import type { StoreLevel } from './guarded-level.ts'
import { isDiskFull, wrapLevelError } from './level-errors.ts'
import { syncFolder } from './sync-folder.ts'
import { findDamagedTables, findTableDamage } from './table-file.ts'
import { type SalvagedTable, salvageTable } from './table-salvage.ts'

/** A damaged table of a database, and what came of it. */
export interface MendedTable {
  /** Of the database and the file. */
  readonly what: string
  /** That were brought back. */
  readonly values: number
  /** Where the damaged one lies from now on, when it had more; absent when everything is back. */
  readonly kept?: string
  /** LevelDB reads it in the place of the other. */
  readonly isInPlace: boolean
}

/**
 * Writes sound tables in the places of damaged ones, with all of theirs that can be read.
 *
 * A file is the damaged or the sound one at any moment: a repair that is killed begins again where it was. What a sound
 * one lacks stays in the damaged one, which is kept under `damaged` then. Numbers and levels of files, keys, sequence
 * numbers and deletions stay as they were: what was deleted from the database later does not come back.
 *
 * @param options - `sealed`: values carry seals; `isSound`: nothing but tables is damaged
 * @throws ArchiveError STORE_DISK_FULL, STORE_WRITE_FAILED
 */
export async function mendTables(
  level: StoreLevel,
  { sealed, isSound }: { readonly sealed: boolean; readonly isSound: boolean },
): Promise<MendedTable[]> {
  const { name, location } = level
  const sizes = readDatabaseVersion(location)?.tables
  // LevelDB deletes those that a sound manifest does not name: what they held lies in others, or was to go.
  const live = isSound ? sizes : undefined
  const mended: MendedTable[] = []
  for (const { name: file } of findDamagedTables(location, live, true)) {
    const sizeBytes = sizes?.get(Number.parseInt(file, 10))
    try {
      mended.push(await mendTable(level, file, { sizeBytes, sealed }))
    } catch (error) {
      throw wrapLevelError(error, 'STORE_WRITE_FAILED', name)
    }
  }
  return mended
}

async function mendTable(
  level: StoreLevel,
  file: string,
  known: { readonly sizeBytes: number | undefined; readonly sealed: boolean },
): Promise<MendedTable> {
  const { name, location } = level
  const what = `${name}/${file}`
  const salvaged = readSalvaged(join(location, file), known)
  const made = salvaged && (await writeSalvaged(level, file, salvaged.bytes))
  if (!salvaged || made === undefined) return { what, values: 0, isInPlace: false, kept: await moveAside(level, file) }
  const kept = salvaged.isWhole ? undefined : await keepDamaged(location, file)
  await rename(made, join(location, file))
  await syncFolder(location)
  return {
    what,
    values: salvaged.values,
    isInPlace: salvaged.bytes.length === known.sizeBytes,
    ...(kept === undefined ? {} : { kept: `${name}/${DAMAGED_FOLDER}/${kept}` }),
  }
}

function readSalvaged(path: string, known: Parameters<typeof salvageTable>[1]): SalvagedTable | undefined {
  try {
    return salvageTable(readFileSync(path), known)
  } catch (error) {
    // A disk that does not give the bytes back.
    if ((error as NodeJS.ErrnoException).code === 'EIO') return undefined
    throw error
  }
}

/** Nothing of it can be read: LevelDB must not see it. Returns where it lies. */
async function moveAside({ name, location }: StoreLevel, file: string): Promise<string> {
  await mkdir(join(location, DAMAGED_FOLDER), { recursive: true })
  const path = chooseDamagedName(location, file)
  await rename(join(location, file), path)
  return `${name}/${DAMAGED_FOLDER}/${basename(path)}`
}

/** Writes what was salvaged where it is not a table yet, and looks at it as at any other. Returns its path. */
async function writeSalvaged(level: StoreLevel, file: string, bytes: Uint8Array): Promise<string | undefined> {
  const folder = join(level.location, DAMAGED_FOLDER)
  const made = join(folder, `${file}.new`)
  const write = async () => {
    await mkdir(folder, { recursive: true })
    await writeSynced(made, bytes)
  }
  try {
    await write().catch(async (error) => {
      if (!isDiskFull(error)) throw error
      await level.onDiskFull?.()
      await write()
    })
  } catch (error) {
    await rm(made, { force: true })
    throw error
  }
  if (findTableDamage(made, true) === undefined) return made
  await rm(made)
  return undefined
}

/** Returns the name in `damaged`. A second name takes no room on a full disk; not every file system has them. */
async function keepDamaged(location: string, file: string): Promise<string> {
  const path = join(location, file)
  const folder = join(location, DAMAGED_FOLDER)
  const { ino } = await stat(path, { bigint: true })
  for (const name of await readdir(folder)) {
    // Of a repair that was killed.
    if ((await stat(join(folder, name), { bigint: true })).ino === ino) return name
  }
  const copy = chooseDamagedName(location, file)
  await link(path, copy).catch(() => copyFile(path, copy))
  await syncFolder(folder)
  return basename(copy)
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
