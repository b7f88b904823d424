import type { Config } from '../config/index.ts'
import { ArchiveError, isArchiveError } from '../core/errors.ts'
import { readDaemonInfo } from '../storage-worker/daemon-info.ts'
import { callSidecar, type Sidecar } from './call-sidecar.ts'

type Place = Pick<Config, 'dataDir'> & { readonly api: Pick<Config['api'], 'bind'> }

/**
 * Where to ask for the sidecar that has `data_dir` open. The address is what `daemon.json` says, which may be of a sidecar
 * that is gone: `callSidecar` believes nobody else who answers there.
 *
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE when nothing names an address; STORE_ACCESS_DENIED when this user may not
 *   look, and nothing answers at `api.bind` either
 */
export async function findSidecar(place: Place, signal?: AbortSignal): Promise<Sidecar> {
  const { dataDir } = place
  try {
    const url = (await readDaemonInfo(dataDir))?.apiUrl
    if (url !== undefined) return { url, dataDir }
  } catch (error) {
    const found = isArchiveError(error, 'STORE_ACCESS_DENIED') ? await findAnswering(place, signal) : undefined
    if (!found) throw error
    return found
  }
  throw new ArchiveError('CLI_SIDECAR_UNREACHABLE', `no massa-storage runs on ${dataDir}`, { dataDir })
}

/**
 * For an archive that this user may not open: where a sidecar answers that has it open; undefined when none does.
 *
 * Asked first is whom `daemon.json` names, else whoever listens at `api.bind`.
 */
export async function findAnswering(place: Place, signal?: AbortSignal): Promise<Sidecar | undefined> {
  const { dataDir, api } = place
  const info = await readDaemonInfo(dataDir).catch(() => undefined)
  const url = info?.apiUrl ?? `http://${api.bind}`
  if (url.endsWith(':0')) return undefined
  try {
    await callSidecar({ url, dataDir }, '/health', { signal })
    return { url, dataDir }
  } catch {
    signal?.throwIfAborted()
    // Nobody, or somebody else.
    return undefined
  }
}
