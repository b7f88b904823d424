import { accessSync, constants, type Dirent, readdirSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { ArchiveError } from '../core/errors.ts'

const MOST_SHOWN = 300

/**
 * Says what keeps this user, or anybody, from opening an archive, and which line helps; other errors are given back.
 *
 * @returns ArchiveError STORE_READ_ONLY, STORE_ACCESS_DENIED, CONFIG_VALUE_INVALID (no path of any file), or `error` itself
 */
export function explainAccess(error: unknown, dataDir: string): unknown {
  const reason = findPathReason(error)
  if (reason !== undefined) {
    const text = `data_dir: ${shorten(dataDir)} cannot be opened (${reason})`
    return new ArchiveError('CONFIG_VALUE_INVALID', text, { dataDir, reason }, error)
  }
  const kind = findKind(error)
  if (kind === 'read-only') {
    const text =
      `${dataDir} is on a file system that can only be read, and LevelDB opens nothing without writing: its lock, and ` +
      `what it tidies up. Copy it to a place that can be written: cp -a ${quotePath(dataDir)} <place>, then --data-dir <place>`
    return new ArchiveError('STORE_READ_ONLY', text, { dataDir }, error)
  }
  if (kind === 'denied') {
    const text = describeDenied(dataDir)
    return new ArchiveError('STORE_ACCESS_DENIED', text, { dataDir }, error)
  }
  return error
}

/** What keeps this user from opening the archive, if anything; nothing is opened. */
export function findAccessProblem(dataDir: string): ArchiveError | undefined {
  const path = findDenied(dataDir)
  if (path === undefined) return undefined
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    // A file would have passed: this is a folder that may not be entered.
    accessSync(path, constants.X_OK)
  } catch (error) {
    const explained = explainAccess(error, dataDir)
    if (explained instanceof ArchiveError) return explained
  }
  return undefined
}

/** For a message: what is too long for the system would be for a line. */
function shorten(path: string): string {
  return path.length > MOST_SHOWN ? `${path.slice(0, MOST_SHOWN)}...` : path
}

/** Links that lead in a circle, names that no file system has: no archive can be there. */
function findPathReason(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code } = inner as NodeJS.ErrnoException
    if (code === 'ELOOP' || /Too many levels of symbolic links/.test(inner.message)) return 'ELOOP'
    if (code === 'ENAMETOOLONG' || /File name too long/.test(inner.message)) return 'ENAMETOOLONG'
  }
  return undefined
}

function findKind(error: unknown): 'read-only' | 'denied' | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code } = inner as NodeJS.ErrnoException
    // LevelDB gives no more than the text of the system.
    if (code === 'EROFS' || /Read-only file system/.test(inner.message)) return 'read-only'
    if (code === 'EACCES' || code === 'EPERM' || /Permission denied|Operation not permitted/.test(inner.message)) {
      return 'denied'
    }
  }
  return undefined
}

function describeDenied(dataDir: string): string {
  const path = findDenied(dataDir) ?? dataDir
  const own = process.geteuid?.()
  if (own === undefined) return `${path} may not be read and written by this user`
  const owner = readOwner(path)
  if (owner === undefined || owner === own) {
    return `${path}, or a folder above it, may not be read and written. Run: chmod -R u+rwX ${quotePath(dataDir)}`
  }
  const name = owner === 0 ? 'root' : `user ${owner}`
  return (
    `${path} belongs to ${name}, and this process runs as ${ownName(own)}. ` +
    `Run: sudo chown -R ${own}:${process.getegid?.() ?? own} ${quotePath(dataDir)}`
  )
}

/** `undefined` below a folder that may not be entered. */
function readOwner(path: string): number | undefined {
  try {
    return statSync(path).uid
  } catch {
    return undefined
  }
}

/** The first file or folder of the archive that this user may not read and write. */
function findDenied(folder: string): string | undefined {
  const entries = isAllowed(folder, constants.R_OK | constants.W_OK | constants.X_OK) ? listEntries(folder) : undefined
  if (entries === undefined) return folder
  for (const entry of entries) {
    const path = join(folder, entry.name)
    const denied = entry.isDirectory() ? findDenied(path) : isAllowed(path) ? undefined : path
    if (denied !== undefined) return denied
  }
  return undefined
}

/** `undefined` also where `access` is wrong: it asks for the real user, not for the effective one. */
function listEntries(folder: string): Dirent[] | undefined {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return undefined
  }
}

function isAllowed(path: string, mode = constants.R_OK | constants.W_OK): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

function ownName(uid: number): string {
  try {
    return userInfo().username
  } catch {
    return `user ${uid}`
  }
}

/** For a shell. */
export function quotePath(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
