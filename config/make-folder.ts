import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and what is missing above it, one by one: Node's recursive mkdir never ends where the kernel makes no
 * folders (/proc).
 *
 * @param path - absolute; @param mode - of what is made, before the umask
 * @throws the error of the system, with its `code`; ENOTDIR or EEXIST when a file is in the way
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const above = dirname(path)
  if (above !== path) makeFolder(above, mode)
  mkdirSync(path, { mode })
}
