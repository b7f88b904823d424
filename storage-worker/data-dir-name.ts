import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'

/*
 * How a command and a sidecar find out whether both mean the same data directory. A path is not enough: one folder has
 * several, and a folder that was replaced has the path of the one that was there. Who may not look at it has its path
 * alone.
 */

/** The name to ask for a data directory by; it holds nothing but printable ASCII. */
export async function nameDataDir(dataDir: string): Promise<string> {
  return (await nameFolder(dataDir)) ?? namePath(resolve(dataDir))
}

/** All names of a data directory that is open, one of which `nameDataDir` gives to each process of this machine. */
export async function listDataDirNames(dataDir: string): Promise<ReadonlySet<string>> {
  const path = resolve(dataDir)
  const folder = await nameFolder(path)
  return new Set([...(folder === undefined ? [] : [folder]), namePath(path), namePath(await realpath(path))])
}

/** `undefined` when it is not there, or in a folder that this user may not enter. */
async function nameFolder(dataDir: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(dataDir, { bigint: true })
    return `folder ${dev} ${ino}`
  } catch {
    return undefined
  }
}

function namePath(path: string): string {
  return `path ${encodeURIComponent(path)}`
}
