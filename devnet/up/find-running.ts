import { rmSync } from 'node:fs'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { callLocalApi } from '../local-api.ts'
import { listTemporaryDirectories, NetworkFiles, type RunningNetwork } from './network-files.ts'

/** A network that has answered. */
export interface FoundNetwork {
  readonly files: NetworkFiles
  readonly running: RunningNetwork
}

/**
 * The running network of a directory; without one, the one that was started without a directory.
 *
 * A process is known by the token that it answers to, never by its number alone: numbers are used again.
 *
 * @throws ArchiveError DEVNET_NOT_RUNNING, DEVNET_DIRECTORY_INVALID
 */
export async function findRunning(directory: string | undefined): Promise<FoundNetwork> {
  const directories = directory === undefined ? listTemporaryDirectories() : [directory]
  const found = (await Promise.all(directories.map(look))).flatMap((network) => network ?? [])
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
export async function removeAbandoned(): Promise<void> {
  for (const directory of listTemporaryDirectories()) {
    // Without a state file it is just being made.
    const isAbandoned = new NetworkFiles(directory).readRunning() !== undefined && !(await look(directory))
    if (isAbandoned) rmSync(directory, { recursive: true, force: true })
  }
}

async function look(directory: string): Promise<FoundNetwork | undefined> {
  const files = new NetworkFiles(directory)
  const running = files.readRunning()
  if (!running) return undefined
  try {
    await callLocalApi(running, 'GET /network', { timeoutMs: 5_000 })
    return { files, running }
  } catch (error) {
    if (isArchiveError(error, 'DEVNET_NOT_RUNNING')) return undefined
    throw error
  }
}
