import { rmSync } from 'node:fs'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { callLocalApi } from '../local-api.ts'
import { resumeLeftovers } from './leftovers.ts'
import { listTemporaryDirectories, NetworkFiles, type RunningNetwork } from './network-files.ts'

/** Who takes longer is slow or stands still, which is not to say that nobody is there. */
const ALIVE_TIMEOUT_MS = 2_000

/** A network that runs. */
export interface FoundNetwork {
  readonly files: NetworkFiles
  readonly running: RunningNetwork
}

/**
 * The running network of a directory; without one, the one that was started without a directory.
 *
 * A process is known by the token that it answers to, never by its number alone: numbers are used again. One that takes
 * connections and does not answer is taken for the network as long as a process has the number.
 *
 * @throws ArchiveError DEVNET_NOT_RUNNING, DEVNET_DIRECTORY_INVALID
 */
export async function findRunning(directory: string | undefined, timeoutMs = ALIVE_TIMEOUT_MS): Promise<FoundNetwork> {
  const directories = directory === undefined ? listTemporaryDirectories() : [directory]
  const looks = await Promise.all(directories.map((each) => look(each, timeoutMs)))
  const found = looks.flatMap((network) => network ?? [])
  const [only, another] = found
  if (!only) {
    const where = directory === undefined ? 'no devnet without a directory of its own' : `no devnet of ${directory}`
    throw new ArchiveError('DEVNET_NOT_RUNNING', `${where} is running`, { directory })
  }
  if (another) {
    const names = found.map(({ files }) => files.directory).join(', ')
    throw new ArchiveError('DEVNET_NOT_RUNNING', `several networks run; name one with --data-dir: ${names}`)
  }
  return only
}

/** Deletes what networks without a directory of their own have left when they were killed. */
export async function removeAbandoned(timeoutMs = ALIVE_TIMEOUT_MS): Promise<void> {
  for (const directory of listTemporaryDirectories()) {
    // Without a state file it is just being made.
    const isAbandoned = new NetworkFiles(directory).readRunning() !== undefined && !(await look(directory, timeoutMs))
    if (!isAbandoned) continue
    resumeLeftovers(directory)
    rmSync(directory, { recursive: true, force: true })
  }
}

async function look(directory: string, timeoutMs: number): Promise<FoundNetwork | undefined> {
  const files = new NetworkFiles(directory)
  const running = files.readRunning()
  if (!running) return undefined
  try {
    await callLocalApi(running, 'GET /alive', { timeoutMs })
  } catch (error) {
    if (isArchiveError(error, 'DEVNET_NOT_RUNNING')) return undefined
    // Somebody else may have the port since, and speak another language.
    if (isArchiveError(error, 'DEVNET_NO_ANSWER') && !isProcess(running.pid)) return undefined
  }
  return { files, running }
}

function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
