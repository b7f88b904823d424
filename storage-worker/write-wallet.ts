import { link, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../config/index.ts'
import { ArchiveError } from '../core/index.ts'
import { syncFolder } from './sync-folder.ts'

const OWNER_ONLY = 0o600
const OWNER_ONLY_FOLDER = 0o700

/**
 * Writes a new file that only its owner may read, whole or not at all, and over no other.
 *
 * @param path - absolute; folders above it are made
 * @throws ArchiveError WALLET_FILE_EXISTS, WALLET_FILE_UNWRITABLE
 */
export async function writeNewWallet(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    makeFolder(folder, OWNER_ONLY_FOLDER)
    await writeSynced(temporary, text)
    try {
      await linkNew(temporary, path)
    } finally {
      await unlink(temporary)
    }
    await syncFolder(folder)
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ArchiveError('WALLET_FILE_UNWRITABLE', `cannot write ${path} (${reason})`, { path, reason }, cause)
  }
}

/** A rename would replace a file that is there. */
async function linkNew(from: string, path: string): Promise<void> {
  try {
    await link(from, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new ArchiveError('WALLET_FILE_EXISTS', `${path} exists`, { path }, cause)
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', OWNER_ONLY)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
