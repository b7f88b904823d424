import * as z from 'zod'
import { THREAD_COUNT } from '../../core/index.ts'
import { IMMUTABLE, periodNumber, periodParams, proofQuery, sendFound, wholeNumber } from './answer.ts'
import { periodAnswer, slotAnswer } from './answer-schemas.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const slotParams = z.object({ period: periodNumber, thread: wholeNumber(THREAD_COUNT - 1) })

/** What stands at a place of the chain. */
export function addSlotRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const slot = {
    schema: { params: slotParams, querystring: proofQuery },
    config: { description: { summary: 'What stands at a slot.', answer: slotAnswer } },
  }
  scope.get('/v1/slots/:period/:thread', slot, async (request, reply) => {
    const { params, query } = request
    const found = await pickHistory(history, request).slot(params, query.proof === 'true')
    return sendFound(reply, `slot (${params.period}, ${params.thread})`, { found, caching: IMMUTABLE })
  })
  const period = {
    schema: { params: periodParams, querystring: proofQuery },
    config: { description: { summary: 'Root, bitmap and chunks of a period.', answer: periodAnswer } },
  }
  scope.get('/v1/periods/:period', period, async (request, reply) => {
    const { params, query } = request
    const found = await pickHistory(history, request).period(params.period, query.proof === 'true')
    return sendFound(reply, `period ${params.period}`, { found, caching: IMMUTABLE })
  })
}
