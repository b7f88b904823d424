import * as z from 'zod'
import { THREAD_COUNT } from '../../core/index.ts'
import { isGone, periodNumber, periodParams, proofQuery, sendFound, wholeNumber } from './answer.ts'
import { periodAnswer, slotAnswer } from './answer-schemas.ts'
import { type ProvingModules, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const slotParams = z.object({ period: periodNumber, thread: wholeNumber(THREAD_COUNT - 1) })

/** What stands at a place of the chain. */
export function addSlotRoutes(scope: GatewayScope, { history, proofs }: ProvingModules): void {
  const slot = {
    schema: { params: slotParams, querystring: proofQuery },
    config: { description: { summary: 'What stands at a slot.', answer: slotAnswer } },
  }
  scope.get('/v1/slots/:period/:thread', slot, async (request, reply) => {
    const { params, query } = request
    const archive = pickHistory(history, request)
    const find = () => archive.slot(params, query.proof === 'true')
    const found = await (query.proof === 'true' ? proofs.run(find, isGone(reply)) : find())
    return sendFound(reply, `slot (${params.period}, ${params.thread})`, found)
  })
  const period = {
    schema: { params: periodParams, querystring: proofQuery },
    config: { description: { summary: 'Root, bitmap and chunks of a period.', answer: periodAnswer } },
  }
  scope.get('/v1/periods/:period', period, async (request, reply) => {
    const { params, query } = request
    const archive = pickHistory(history, request)
    const find = () => archive.period(params.period, query.proof === 'true')
    const found = await (query.proof === 'true' ? proofs.run(find, isGone(reply)) : find())
    return sendFound(reply, `period ${params.period}`, found)
  })
}
