import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ArchiveError } from '../core/index.ts'
import { makeFolder } from './make-folder.ts'

const MODE_BITS = 0o7777
const NEW_FILE_MODE = 0o644

/**
 * Writes a file and the folders above it so that at any moment the old one or the new one is there, whole, with the mode
 * and the owner it had. A link stays one.
 *
 * @throws ArchiveError CONFIG_FILE_UNWRITABLE
 */
export function replaceFile(file: string, text: string): void {
  guardWriting(file, () => {
    const place = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ? realpathSync(file) : file
    const temporary = writeBeside(place, text)
    try {
      renameSync(temporary, place)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
    syncFolder(dirname(place))
  })
}

/** Finds out whether `replaceFile` can. @throws ArchiveError CONFIG_FILE_UNWRITABLE */
export function checkReplaceable(file: string): void {
  guardWriting(file, () => rmSync(writeBeside(file, '')))
}

/** Errors of the system as one of ours. @throws ArchiveError CONFIG_FILE_UNWRITABLE */
export function guardWriting<T>(file: string, write: () => T): T {
  try {
    return write()
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ArchiveError('CONFIG_FILE_UNWRITABLE', `cannot write ${file} (${reason})`, { file, reason }, cause)
  }
}

/** A new file in the same folder, on disk. */
function writeBeside(place: string, text: string): string {
  makeFolder(dirname(place))
  const old = statSync(place, { throwIfNoEntry: false })
  // A device would be gone after the rename.
  if (old && !old.isFile()) throw new ArchiveError('CONFIG_FILE_UNWRITABLE', `${place} is no file`, { file: place })
  const temporary = `${place}.${process.pid}.tmp`
  const handle = openSync(temporary, 'w', old ? 0o600 : NEW_FILE_MODE)
  try {
    if (old) {
      const { uid, gid } = fstatSync(handle)
      if (uid !== old.uid || gid !== old.gid) fchownSync(handle, old.uid, old.gid)
      fchmodSync(handle, old.mode & MODE_BITS)
    }
    writeFileSync(handle, text)
    fsyncSync(handle)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(handle)
  }
  return temporary
}

/** So that the new name outlives a power loss; Windows opens no folders. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
