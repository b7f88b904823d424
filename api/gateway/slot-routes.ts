import * as z from 'zod'
import { THREAD_COUNT } from '../../core/index.ts'
import { IMMUTABLE, periodNumber, periodParams, proofQuery, sendFound, wholeNumber } from './answer.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const slotParams = z.object({ period: periodNumber, thread: wholeNumber(THREAD_COUNT - 1) })

/** What stands at a place of the chain. */
export function addSlotRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const slot = { params: slotParams, querystring: proofQuery }
  scope.get('/v1/slots/:period/:thread', { schema: slot }, async (request, reply) => {
    const { params, query } = request
    const found = await pickHistory(history, request).slot(params, query.proof === 'true')
    return sendFound(reply, `slot (${params.period}, ${params.thread})`, { found, caching: IMMUTABLE })
  })
  const period = { params: periodParams, querystring: proofQuery }
  scope.get('/v1/periods/:period', { schema: period }, async (request, reply) => {
    const { params, query } = request
    const found = await pickHistory(history, request).period(params.period, query.proof === 'true')
    return sendFound(reply, `period ${params.period}`, { found, caching: IMMUTABLE })
  })
}
