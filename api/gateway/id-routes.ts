import { CHANGING, IMMUTABLE, idParams, proofQuery, sendFound } from './answer.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const KINDS = [
  { path: '/v1/blocks/:id', method: 'block', caching: IMMUTABLE },
  { path: '/v1/operations/:id', method: 'operation', caching: CHANGING },
  { path: '/v1/endorsements/:id', method: 'endorsement', caching: IMMUTABLE },
] as const

/** What has an id. */
export function addIdRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const schema = { params: idParams, querystring: proofQuery }
  for (const { path, method, caching } of KINDS) {
    scope.get(path, { schema }, async (request, reply) => {
      const { id } = request.params
      const found = await pickHistory(history, request)[method](id, request.query.proof === 'true')
      return sendFound(reply, id, { found, caching })
    })
  }
}
