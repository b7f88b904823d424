import type { FastifyInstance, FastifyReply } from 'fastify'
import * as z from 'zod'
import { ArchiveError, type ErrorCode, fromHex, isArchiveError, type Slot, THREAD_COUNT } from '../../core/index.ts'
import type { HistoryAnswer } from '../../storage-worker/index.ts'
import { type ListRequest, parseCursor } from '../../storage-worker/index.ts'
import { readByteRange } from './byte-range.ts'
import { sendProblem } from './problem.ts'

/** What the archive answers about history; undefined: it has nothing of the kind. */
export interface HistoryGateway {
  block(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  operation(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  endorsement(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  slot(slot: Slot, hasProof: boolean): Promise<HistoryAnswer | undefined>
  period(period: number, hasProof: boolean): Promise<HistoryAnswer | undefined>
  operationsOf(address: string, request: ListRequest): Promise<HistoryAnswer>
  /** @param chunkId - 32 bytes */
  chunk(chunkId: Uint8Array): Promise<Uint8Array | undefined>
}

const MAX_PAGE = 100
const LAST = Number.MAX_SAFE_INTEGER
/** What an id binds never changes; what was executed may come later. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
const CHANGING = 'no-cache'

const number = z.coerce.number().int().min(0)
const proofRequest = z.strictObject({ proof: z.enum(['true', 'false']).default('false') })
const slotParams = z.object({ period: number.max(LAST), thread: number.max(THREAD_COUNT - 1) })
const periodParams = z.object({ period: number.max(LAST) })
const listRequest = z.strictObject({
  role: z.enum(['creator', 'target']).optional(),
  from: number.max(LAST).default(0),
  to: number.max(LAST).default(LAST),
  limit: number.min(1).max(MAX_PAGE).default(25),
  cursor: z.string().max(40).optional(),
})

/**
 * History over HTTP, as plain JSON, each answer with its proof on request (docs/FORMAT.md, Proofs). Nothing here has to be believed:
 * who asks with `proof=true` verifies it.
 *
 * - `GET /v1/blocks/{id}`, `/v1/operations/{id}`, `/v1/endorsements/{id}`, `/v1/slots/{period}/{thread}`, `/v1/periods/{period}`, all with `?proof=true`
 * - `GET /v1/addresses/{address}/operations?role=&from=&to=&limit=&cursor=` newest first
 * - `GET /chunk/{id}` the bytes of a chunk, also in part (`Range`)
 *
 * Refusals are problems of RFC 9457.
 */
export function addGatewayRoutes(server: FastifyInstance, history: HistoryGateway | undefined): void {
  const needed = (): HistoryGateway => {
    if (history) return history
    throw new ArchiveError(
      'API_HISTORY_OFF',
      'this sidecar keeps no index of ids and addresses: history.enabled is false',
    )
  }
  const answer = (reply: FastifyReply, work: () => Promise<FastifyReply>) =>
    work().catch((error: unknown) => {
      if (!isArchiveError(error)) throw error
      return sendProblem(reply, STATUS_OF[error.code] ?? 500, error.code, error.message)
    })
  const send = (reply: FastifyReply, name: string, found: HistoryAnswer | undefined, caching: string) => {
    if (!found) return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `${name} is not in this archive`)
    return reply.header('cache-control', caching).send(found)
  }
  const wantsProof = (query: unknown) => parse(proofRequest, query).proof === 'true'

  server.get<{ Params: { id: string } }>('/v1/blocks/:id', ({ params: { id }, query }, reply) =>
    answer(reply, async () => send(reply, id, await needed().block(id, wantsProof(query)), IMMUTABLE)),
  )
  server.get<{ Params: { id: string } }>('/v1/operations/:id', ({ params: { id }, query }, reply) =>
    answer(reply, async () => send(reply, id, await needed().operation(id, wantsProof(query)), CHANGING)),
  )
  server.get<{ Params: { id: string } }>('/v1/endorsements/:id', ({ params: { id }, query }, reply) =>
    answer(reply, async () => send(reply, id, await needed().endorsement(id, wantsProof(query)), IMMUTABLE)),
  )
  server.get('/v1/slots/:period/:thread', ({ params, query }, reply) =>
    answer(reply, async () => {
      const slot = parse(slotParams, params)
      const name = `slot (${slot.period}, ${slot.thread})`
      return send(reply, name, await needed().slot(slot, wantsProof(query)), IMMUTABLE)
    }),
  )
  server.get('/v1/periods/:period', ({ params, query }, reply) =>
    answer(reply, async () => {
      const { period } = parse(periodParams, params)
      return send(reply, `period ${period}`, await needed().period(period, wantsProof(query)), IMMUTABLE)
    }),
  )
  server.get<{ Params: { address: string } }>(
    '/v1/addresses/:address/operations',
    ({ params: { address }, query }, reply) =>
      answer(reply, async () => {
        const { role, cursor, ...range } = parse(listRequest, query)
        const before = cursor === undefined ? undefined : parseCursor(cursor)
        const roles = role ? [role] : (['creator', 'target'] as const)
        return send(reply, address, await needed().operationsOf(address, { roles, before, ...range }), CHANGING)
      }),
  )
  server.get<{ Params: { id: string } }>('/chunk/:id', ({ params: { id }, headers }, reply) =>
    answer(reply, async () => {
      if (!/^[0-9a-f]{64}$/.test(id))
        throw new ArchiveError('API_QUERY_INVALID', 'a chunk id has 64 lower-case hex digits')
      const chunk = await needed().chunk(fromHex(id))
      if (!chunk) return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `chunk ${id} is not on this disk`)
      const etag = `"${id}"`
      reply.header('etag', etag).header('cache-control', IMMUTABLE).header('accept-ranges', 'bytes')
      if (headers['if-none-match'] === etag) return reply.code(304).send()
      const range = readByteRange(headers.range, chunk.length)
      if (range === 'unsatisfiable') {
        return reply.code(416).header('content-range', `bytes */${chunk.length}`).send()
      }
      reply.type('application/octet-stream').header('content-disposition', `attachment; filename="${id}.chunk"`)
      if (!range) return reply.send(Buffer.from(chunk))
      const { start, end } = range
      reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${chunk.length}`)
      return reply.send(Buffer.from(chunk.subarray(start, end)))
    }),
  )
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  API_HISTORY_OFF: 409,
  API_QUERY_INVALID: 400,
  CORE_BASE58_INVALID: 400,
  CORE_READING_NOT_HELD: 404,
  STORE_CHUNK_AWAY: 404,
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new ArchiveError(
    'API_QUERY_INVALID',
    `the request is not of the expected shape: ${z.prettifyError(result.error)}`,
  )
}
