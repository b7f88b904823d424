import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isArchiveError } from '../core/errors.ts'
import { explainAccess } from './explain-access.ts'
import { replaceFile } from './store-identity.ts'

const FILE_NAME = 'daemon.json'

/** Who has a data directory open. Only LevelDB's lock decides; this file may be stale after a crash. */
export interface DaemonInfo {
  readonly pid: number
  /** Where its HTTP API listens, once it does. */
  readonly apiUrl?: string
}

/**
 * @throws ArchiveError STORE_ACCESS_DENIED when this user may not look: somebody may well have it open;
 *   CONFIG_VALUE_INVALID when nothing can be there
 */
export async function readDaemonInfo(dataDir: string): Promise<DaemonInfo | undefined> {
  try {
    return parseInfo(JSON.parse(await readFile(join(dataDir, FILE_NAME), 'utf8')))
  } catch (error) {
    const explained = explainAccess(error, dataDir)
    if (isArchiveError(explained)) throw explained
    // Absent or torn: it informs, nothing depends on it.
    return undefined
  }
}

function parseInfo(value: unknown): DaemonInfo | undefined {
  const { pid, apiUrl } = (value ?? {}) as { readonly [Name in keyof DaemonInfo]: unknown }
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined
  return { pid, ...(typeof apiUrl === 'string' ? { apiUrl } : {}) }
}

export async function writeDaemonInfo(dataDir: string, info: DaemonInfo): Promise<void> {
  await replaceFile(dataDir, FILE_NAME, `${JSON.stringify(info)}\n`)
}

export async function removeDaemonInfo(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE_NAME), { force: true })
}
