import * as z from 'zod'
import { fromHex } from '../../core/index.ts'
import { fetchQuery, IMMUTABLE } from './answer.ts'
import { readByteRange } from './byte-range.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import { sendProblem } from './problem.ts'
import type { GatewayScope } from './typed-scope.ts'

const chunkParams = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/, 'a chunk id has 64 lower-case hex digits') })

/** The bytes of a chunk, also in part (`Range`). */
export function addChunkRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const schema = { params: chunkParams, querystring: fetchQuery }
  scope.get('/chunk/:id', { schema }, async (request, reply) => {
    const { headers } = request
    const { id } = request.params
    const chunk = await pickHistory(history, request).chunk(fromHex(id))
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
  })
}
