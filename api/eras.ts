import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../core/index.ts'
import { needDataDir } from './data-dir-header.ts'

/** What this sidecar knows of eras. Answers are plain JSON. */
export interface ErasPort {
  /** Of those that are over, the newest first. */
  list(limit: number): Promise<readonly object[]>
  show(era: number): Promise<object | undefined>
  /** Why it cannot be told which are anchored, if so. */
  readonly failing: { readonly code: string; readonly message: string } | undefined
}

/** Each takes 128 manifests from disk. */
const MAX_LISTED = 100
const listRequest = z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(10) })
const eraNumber = z.coerce.number().int().min(0).max(0xffff_ffff)

/**
 * - `GET /v1/eras?limit=10` eras that are over: what is archived of them, what is anchored, who signs what
 * - `GET /v1/eras/{era}` one of them
 *
 * Both have to name the data directory.
 */
export function addEraRoutes(server: FastifyInstance, eras: ErasPort): void {
  const options = { onRequest: needDataDir, schema: { querystring: listRequest } }
  server.get<{ Querystring: z.output<typeof listRequest> }>('/v1/eras', options, async ({ query }) => {
    return { eras: await eras.list(query.limit), failing: eras.failing ?? null }
  })
  server.get<{ Params: { era: string } }>('/v1/eras/:era', { onRequest: needDataDir }, async ({ params }) => {
    return { era: await eras.show(parse(eraNumber, params.era)), failing: eras.failing ?? null }
  })
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${result.error.message}`)
}
