import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError, fromHex } from '../core/index.ts'
import {
  type ImportModules,
  type ImportOptions,
  importArchiveFile,
} from '../storage-worker/archive-file/import-file.ts'
import { openSource } from '../storage-worker/archive-file/open-source.ts'
import type { FileProgress } from '../storage-worker/archive-file/verify-file.ts'
import { checkToken } from './check-token.ts'
import { LatestReport } from './latest-report.ts'
import type { QueryRow } from './queries.ts'
import { sendRows } from './row-stream.ts'

const importRequest = z.strictObject({
  /** Absolute path, or http address. */
  source: z.string().min(1).max(4_096),
  /** Of the file: another one is refused. */
  root: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Of eras, by their numbers: an era of the file that has another one is refused. */
  eraRoots: z.record(z.string().regex(/^\d{1,13}$/), z.string().regex(/^[0-9a-f]{64}$/)).optional(),
})

export type ImportRequest = z.infer<typeof importRequest>

/**
 * - `POST /v1/imports` `{source, root, eraRoots}` brings the periods of an archive file into the archive; the answer is NDJSON: `{"progress": …}`
 *   as it goes, and `{"result": …}` or `{"error": …}` last. It ends with its connection; what was written by then stays
 */
export function addImportRoutes(
  server: FastifyInstance,
  modules: ImportModules,
  { token, heartbeatMs }: { readonly token: string | undefined; readonly heartbeatMs?: number | undefined },
): void {
  server.post('/v1/imports', (request, reply) => {
    // It reads files of this user, and addresses that this machine reaches.
    checkToken(request, token)
    const { success, data, error } = importRequest.safeParse(request.body)
    if (!success) throw new ArchiveError('API_QUERY_INVALID', z.prettifyError(error))
    const aborted = new AbortController()
    reply.raw.once('close', () => aborted.abort())
    return sendRows(reply, runImport(data, { ...modules, isRunning: true }, aborted.signal), heartbeatMs)
  })
}

/** As the sidecar runs it, or a command that has the archive open by itself. @throws ArchiveError of `importArchiveFile` */
export async function* runImport(
  { source, root, eraRoots: said = {} }: ImportRequest,
  { isRunning = false, ...modules }: ImportModules & Pick<ImportOptions, 'isRunning'>,
  signal: AbortSignal,
): AsyncGenerator<QueryRow> {
  const reports = new LatestReport<FileProgress>()
  const onProgress = (progress: FileProgress) => reports.put(progress)
  const eraRoots = new Map(Object.entries(said).map(([era, root]) => [Number(era), fromHex(root)]))
  const file = await openSource(source, signal)
  const imported = importArchiveFile(file, { root, eraRoots, isRunning }, modules, onProgress, signal).finally(
    async () => {
      reports.end()
      await file.close()
    },
  )
  // Whoever asked may have gone meanwhile.
  imported.catch(() => undefined)
  try {
    for await (const progress of reports) yield { progress }
  } finally {
    // What is under way is not to outlive what it writes to.
    await Promise.allSettled([imported])
  }
  yield { result: await imported }
}
