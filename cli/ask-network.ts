import type { QueryRequest, QueryRow } from '../api/queries.ts'
import { askSidecar } from './ask-sidecar.ts'
import type { Context } from './context.ts'
import { findSidecar } from './find-sidecar.ts'

/**
 * Asks the running sidecar what no archive alone can tell.
 *
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE, API_PEERS_OFF, and those of the query
 */
export async function* askNetwork(
  context: Context,
  request: QueryRequest,
  signal: AbortSignal,
): AsyncGenerator<QueryRow> {
  const sidecar = await findSidecar(context.load().config, signal)
  yield* askSidecar(sidecar, '/v1/query', { body: request, signal })
}
