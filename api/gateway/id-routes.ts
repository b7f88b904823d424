import { idParams, isGone, proofQuery, sendFound } from './answer.ts'
import { blockAnswer, endorsementAnswer, operationAnswer } from './answer-schemas.ts'
import { type ProvingModules, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const KINDS = [
  { path: '/v1/blocks/:id', method: 'block', summary: 'A block.', answer: blockAnswer },
  {
    path: '/v1/operations/:id',
    method: 'operation',
    summary: 'An operation, the blocks that include it, and whether it succeeded.',
    answer: operationAnswer,
  },
  {
    path: '/v1/endorsements/:id',
    method: 'endorsement',
    summary: 'An endorsement, and the blocks that carry it.',
    answer: endorsementAnswer,
  },
] as const

/** What has an id. */
export function addIdRoutes(scope: GatewayScope, { history, proofs }: ProvingModules): void {
  const schema = { params: idParams, querystring: proofQuery }
  for (const { path, method, ...description } of KINDS) {
    scope.get(path, { schema, config: { description } }, async (request, reply) => {
      const { id } = request.params
      const archive = pickHistory(history, request)
      const { proof } = request.query
      const find = () => archive[method](id, proof === 'true')
      const found = await (proof === 'true' ? proofs.run(find, isGone(reply)) : find())
      return sendFound(reply, id, found)
    })
  }
}
