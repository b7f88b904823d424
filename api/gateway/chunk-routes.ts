import * as z from 'zod'
import { fromHex } from '../../core/index.ts'
import { fetchQuery, IMMUTABLE } from './answer.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import { RANGE_HEADERS } from './openapi.ts'
import { sendProblem } from './problem.ts'
import { BYTES, sendBytes } from './send-bytes.ts'
import type { GatewayScope } from './typed-scope.ts'

const chunkParams = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/, 'a chunk id has 64 lower-case hex digits') })

/** The bytes of a chunk. */
export function addChunkRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const options = {
    schema: { params: chunkParams, querystring: fetchQuery },
    config: { description: { summary: 'The bytes of a chunk.', answer: [BYTES], headers: RANGE_HEADERS } },
  }
  scope.get('/chunk/:id', options, async (request, reply) => {
    const { id } = request.params
    const bytes = await pickHistory(history, request).chunk(fromHex(id))
    if (!bytes) return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `chunk ${id} is not on this disk`)
    return sendBytes(request, reply, { bytes, tag: id, type: BYTES, caching: IMMUTABLE, fileName: `${id}.chunk` })
  })
}
