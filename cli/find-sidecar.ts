import { realpath } from 'node:fs/promises'
import type { Config } from '../config/index.ts'
import { isArchiveError } from '../core/errors.ts'
import { readDaemonInfo } from '../storage-worker/daemon-info.ts'
import { callSidecar } from './call-sidecar.ts'

type Place = Pick<Config, 'dataDir' | 'api'>

/**
 * Where the API of the sidecar that has `data_dir` open listens; undefined when none says so.
 *
 * @throws ArchiveError STORE_ACCESS_DENIED when this user may not look, and nothing answers at `api.bind` either
 */
export async function findSidecar(place: Place): Promise<string | undefined> {
  try {
    return (await readDaemonInfo(place.dataDir))?.apiUrl
  } catch (error) {
    const url = isArchiveError(error, 'STORE_ACCESS_DENIED') ? await findAnswering(place) : undefined
    if (url === undefined) throw error
    return url
  }
}

/**
 * For an archive that this user may not open: where a sidecar answers that has it open; undefined when none does.
 *
 * Asked first is whom `daemon.json` names, else whoever listens at `api.bind`.
 */
export async function findAnswering(place: Place): Promise<string | undefined> {
  const info = await readDaemonInfo(place.dataDir).catch(() => undefined)
  const url = info?.apiUrl ?? `http://${place.api.bind}`
  if (url.endsWith(':0')) return undefined
  try {
    const answer = (await (await callSidecar(`${url}/v1/status`)).json()) as { readonly dataDir?: unknown }
    const same = typeof answer.dataDir === 'string' && (await isSame(answer.dataDir, place.dataDir))
    return same ? url : undefined
  } catch {
    // Nobody, or somebody else.
    return undefined
  }
}

/** True while a process of this id runs, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  if (one === other) return true
  const [a, b] = await Promise.all([realpath(one), realpath(other)])
  return a === b
}
