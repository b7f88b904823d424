import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isArchiveError } from '../core/errors.ts'
import { explainAccess } from './explain-access.ts'
import { replaceFile } from './store-identity.ts'

const FILE_NAME = 'daemon.json'
/** Of /proc/<pid>/stat behind the name of the program, which may hold spaces: field 22, proc(5). */
const START_FIELD = 19

/** Who has a data directory open. Only LevelDB's lock decides; this file may be stale after a crash. */
export interface DaemonInfo {
  readonly pid: number
  /** When it started, in ticks since the machine did; absent where the system does not say. */
  readonly startTicks?: string
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

/**
 * True while the process that wrote the note runs, whoever's it is.
 *
 * Where the system says when a process started, another one that has its number by now is told apart.
 */
export function isHolderRunning({ pid, startTicks }: DaemonInfo): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const found = startTicks === undefined ? undefined : readStartTicks(pid)
  return found === undefined || found === startTicks
}

/**
 * Notes that this process has a data directory open. Only for who has its lock.
 *
 * @throws of the file system; what an earlier process noted is gone then
 */
export async function writeDaemonInfo(dataDir: string, apiUrl?: string): Promise<void> {
  const startTicks = readStartTicks(process.pid)
  const info: DaemonInfo = {
    pid: process.pid,
    ...(startTicks === undefined ? {} : { startTicks }),
    ...(apiUrl === undefined ? {} : { apiUrl }),
  }
  const text = `${JSON.stringify(info)}\n`
  try {
    await replaceFile(dataDir, FILE_NAME, text)
  } catch {
    // It speaks of somebody else, and what it takes may be all that a full disk lacks.
    await removeDaemonInfo(dataDir)
    await replaceFile(dataDir, FILE_NAME, text)
  }
}

export async function removeDaemonInfo(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE_NAME), { force: true })
}

function parseInfo(value: unknown): DaemonInfo | undefined {
  const { pid, startTicks, apiUrl } = (value ?? {}) as { readonly [Name in keyof DaemonInfo]: unknown }
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined
  return {
    pid,
    ...(typeof startTicks === 'string' ? { startTicks } : {}),
    ...(typeof apiUrl === 'string' ? { apiUrl } : {}),
  }
}

function readStartTicks(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[START_FIELD]
  } catch {
    return undefined
  }
}
