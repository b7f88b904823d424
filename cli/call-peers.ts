import { callSidecar } from './call-sidecar.ts'
import type { Context } from './context.ts'
import { findSidecar } from './find-sidecar.ts'

/**
 * Asks the running sidecar about its peers; with a body it is told to do something.
 *
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE, API_PEERS_OFF, API_PEER_INVALID, API_QUERY_INVALID
 */
export async function callPeers(
  context: Context,
  path: '' | '/ban' | '/unban',
  body: object | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const { config } = context.load()
  const sidecar = await findSidecar(config, signal)
  return callSidecar(sidecar, `/v1/peers${path}`, { signal, body })
}
