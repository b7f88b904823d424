import type { QueryRequest, QueryRow } from '../api/queries.ts'
import { askSidecar } from './archive-access.ts'
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
  yield* askSidecar(await findSidecar(context.load().config, signal), request, signal)
}
