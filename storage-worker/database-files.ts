import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { listShortened } from './closing-sizes.ts'
import { findLogDamage } from './log-file.ts'
import { type DatabaseVersion, readVersion } from './manifest-file.ts'

/*
 * The files of a LevelDB database, looked at before LevelDB is: where `CURRENT` is missing it makes a new database and
 * deletes the tables and logs of the old one, and where a manifest is read in part, the tables behind the rest of it.
 */

/** Another process may have the database open and move files while they are looked at: damage is what stays. */
const LOOKS = 4

/** True where nothing was ever written: there is no folder, or one in which a database was begun. */
export function isBlank(location: string): boolean {
  if (!existsSync(location)) return true
  return readdirSync(location).every((name) => {
    if (/^(LOCK|LOG|LOG\.old|CURRENT|MANIFEST-\d+|\d+\.dbtmp|lock-check)$/.test(name)) return true
    return /^\d+\.log$/.test(name) && statSync(join(location, name)).size === 0
  })
}

/**
 * Refuses a database that lacks a file without which LevelDB would lose others, or would not open.
 *
 * @param sizes - of logs and manifests, when the store was last closed
 * @throws ArchiveError STORE_DATABASE_DAMAGED, with `file` unless the whole folder is missing
 */
export function checkDatabaseFiles(name: string, location: string, sizes: ReadonlyMap<string, number>): void {
  let last: ArchiveError | undefined
  for (let look = 0; look < LOOKS; look++) {
    try {
      checkOnce(name, location, sizes)
      return
    } catch (error) {
      if (!isArchiveError(error, 'STORE_DATABASE_DAMAGED')) throw error
      if (error.message === last?.message) throw error
      last = error
    }
  }
  if (last) throw last
}

/** Names of logs that lack what was in them: gone although the manifest names them, or shorter than they were. */
export function listLostLogs(location: string, sizes: ReadonlyMap<string, number>): string[] {
  const shortened = listShortened(location, sizes).filter((name) => name.endsWith('.log'))
  const findMissing = () => {
    const version = readDatabaseVersion(location)
    const log = version?.log ? `${String(version.log).padStart(6, '0')}.log` : undefined
    return log === undefined || existsSync(join(location, log)) ? undefined : log
  }
  const missing = findMissing()
  // LevelDB names the next log before it deletes one.
  return missing !== undefined && missing === findMissing() ? [missing, ...shortened] : shortened
}

function checkOnce(name: string, location: string, sizes: ReadonlyMap<string, number>): void {
  const damaged = (file: string, reason: string) =>
    new ArchiveError('STORE_DATABASE_DAMAGED', `${name}/${file}: ${reason}`, { name, file })
  if (!existsSync(location)) {
    throw new ArchiveError('STORE_DATABASE_DAMAGED', `${name}: the folder of this database is missing`, { name })
  }
  const manifest = readCurrent(location)
  if (manifest === undefined) {
    throw damaged('CURRENT', existsSync(join(location, 'CURRENT')) ? 'it names no manifest' : 'it is missing')
  }
  const path = join(location, manifest)
  if (!existsSync(path)) {
    const others = readdirSync(location).filter((entry) => /^MANIFEST-\d+$/.test(entry))
    if (others.length > 0) throw damaged('CURRENT', `it names ${manifest}, which is not there`)
    throw damaged(manifest, 'it is missing')
  }
  const reason = findLogDamage(path)
  if (reason !== undefined) throw damaged(manifest, reason)
  if (listShortened(location, sizes).includes(manifest)) throw damaged(manifest, 'it is shorter than it was')
  const version = readVersion(path)
  if (!version) throw damaged(manifest, 'a record that LevelDB does not write')
  const found = new Set(readdirSync(location).map((entry) => Number(/^(\d+)\.(ldb|sst)$/.exec(entry)?.[1] ?? -1)))
  const missing = [...version.tables.keys()].find((number) => !found.has(number))
  if (missing !== undefined) throw damaged(`${String(missing).padStart(6, '0')}.ldb`, 'it is missing')
}

/** What CURRENT names, if it is a manifest. */
function readCurrent(location: string): string | undefined {
  try {
    return /^(MANIFEST-\d+)\n$/.exec(readFileSync(join(location, 'CURRENT'), 'latin1'))?.[1]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What the manifest of a database says; `undefined` when it is damaged or gone. */
export function readDatabaseVersion(location: string): DatabaseVersion | undefined {
  const manifest = readCurrent(location)
  return manifest === undefined ? undefined : readWholeVersion(join(location, manifest))
}

function readWholeVersion(path: string): DatabaseVersion | undefined {
  try {
    return findLogDamage(path) === undefined ? readVersion(path) : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
