import * as z from 'zod'
import { parseCursor } from '../../storage-worker/index.ts'
import { CHANGING, fetchQuery, periodNumber, sendFound, wholeNumber } from './answer.ts'
import { operationsAnswer } from './answer-schemas.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const MAX_PAGE = 100

const addressParams = z.object({ address: z.string() })
const listQuery = fetchQuery
  .extend({
    role: z.enum(['creator', 'target']).optional(),
    from: periodNumber.default(0),
    to: periodNumber.default(Number.MAX_SAFE_INTEGER),
    limit: wholeNumber(MAX_PAGE, 1).default(25),
    cursor: z.string().max(40).optional(),
  })
  .refine(({ from, to }) => from <= to, "'from' is behind 'to'")

/** What an address did, newest first, page by page. */
export function addAddressRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const options = {
    schema: { params: addressParams, querystring: listQuery },
    config: {
      description: { summary: 'Operations by an address or to it, the newest first.', answer: operationsAnswer },
    },
  }
  scope.get('/v1/addresses/:address/operations', options, async (request, reply) => {
    const { address } = request.params
    const { role, cursor, fetch: _, ...range } = request.query
    const before = cursor === undefined ? undefined : parseCursor(cursor)
    const roles = role ? [role] : (['creator', 'target'] as const)
    const found = await pickHistory(history, request).operationsOf(address, { roles, before, ...range })
    return sendFound(reply, address, { found, caching: CHANGING })
  })
}
