import * as z from 'zod'
import type { QueryRow } from '../api/queries.ts'
import { ArchiveError } from '../core/errors.ts'
import { parseAnswer, parseRefusal, type Sidecar, type SidecarRequest, streamSidecar } from './call-sidecar.ts'

const answerRow = z.union([
  z.strictObject({ row: z.looseObject({}) }),
  z.strictObject({ progress: z.looseObject({}) }),
  z.strictObject({ result: z.looseObject({}).nullable() }),
  z.strictObject({ error: z.object({ code: z.string(), message: z.string() }) }),
  // That it is alive.
  z.strictObject({ working: z.literal(true) }),
])

/**
 * Asks a running sidecar for what may take it long: it says all the while that it is alive (`onWorking`).
 *
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE, also when it ends without a result, or the code that the sidecar fails with
 */
export async function* askSidecar(
  sidecar: Sidecar,
  path: string,
  request: SidecarRequest & { readonly onWorking?: () => void },
): AsyncGenerator<QueryRow> {
  let hasResult = false
  for await (const answer of streamSidecar(sidecar, path, request)) {
    const row = parseAnswer(answerRow, answer)
    if ('error' in row) throw parseRefusal(row.error) ?? new ArchiveError('CLI_SIDECAR_UNREACHABLE', row.error.message)
    if ('result' in row) hasResult = true
    if ('working' in row) request.onWorking?.()
    else yield row
  }
  request.signal?.throwIfAborted()
  if (hasResult) return
  throw new ArchiveError('CLI_SIDECAR_UNREACHABLE', `the answer of ${sidecar.url} has no result`, { ...sidecar })
}
