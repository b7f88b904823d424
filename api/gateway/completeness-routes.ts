import * as z from 'zod'
import type { CallGate } from '../json-rpc/call-gate.ts'
import { CHANGING, fetchQuery, isGone, periodNumber } from './answer.ts'
import { rangeAnswer } from './answer-schemas.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import { sendProblem } from './problem.ts'
import type { GatewayScope } from './typed-scope.ts'

const rangeQuery = fetchQuery.extend({
  from: periodNumber.optional(),
  to: periodNumber.optional(),
  bodies: z.enum(['true', 'false']).default('false'),
})

/** That nothing lacks in a range of periods; with bodies it is the proof of what any address did there. */
export function addCompletenessRoutes(
  scope: GatewayScope,
  { history, gate }: { readonly history: HistoryGateway | undefined; readonly gate: CallGate },
): void {
  const options = {
    schema: { querystring: rangeQuery },
    config: {
      description: {
        summary: 'That no period of a range lacks, and with bodies all that happened there.',
        answer: rangeAnswer,
      },
    },
  }
  scope.get('/v1/completeness', options, async (request, reply) => {
    const { bodies, from, to } = request.query
    const archive = pickHistory(history, request)
    // A thousand manifests, or 4 MiB of bodies, at a time.
    const found = await gate.run(() => archive.range({ from, to, hasBodies: bodies === 'true' }), isGone(reply))
    if (!found) return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', 'no period is in this archive')
    return reply.header('cache-control', CHANGING).send(found)
  })
}
