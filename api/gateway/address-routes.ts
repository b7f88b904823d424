import * as z from 'zod'
import { parseCursor } from '../../storage-worker/index.ts'
import { fetchQuery, isGone, periodNumber, proofQuery, sendFound, wholeNumber } from './answer.ts'
import { blocksAnswer, endorsementsAnswer, eventsAnswer, operationsAnswer } from './answer-schemas.ts'
import { type ProvingModules, pickHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

const MAX_PAGE = 100

const params = z.object({ address: z.string() })
const page = {
  from: periodNumber.default(0),
  to: periodNumber.default(Number.MAX_SAFE_INTEGER),
  limit: wholeNumber(MAX_PAGE, 1).default(25),
  cursor: z.string().max(40).optional(),
}
const isRange = ({ from, to }: { readonly from: number; readonly to: number }) => from <= to
const BEHIND = "'from' is behind 'to'"

const operationsQuery = fetchQuery
  .extend({ role: z.enum(['creator', 'target']).optional(), ...page })
  .refine(isRange, BEHIND)
const slotsQuery = fetchQuery.extend(page).refine(isRange, BEHIND)
const eventsQuery = proofQuery.extend(page).refine(isRange, BEHIND)

const LISTS = [
  {
    path: '/v1/addresses/:address/blocks',
    method: 'blocksOf',
    summary: 'Blocks that an address produced, the newest first.',
    answer: blocksAnswer,
  },
  {
    path: '/v1/addresses/:address/endorsements',
    method: 'endorsementsOf',
    summary: 'Endorsements that an address signed, the newest first.',
    answer: endorsementsAnswer,
  },
] as const

/** What an address did, newest first, page by page. */
export function addAddressRoutes(scope: GatewayScope, { history, proofs }: ProvingModules): void {
  const operations = {
    schema: { params, querystring: operationsQuery },
    config: {
      description: { summary: 'Operations by an address or to it, the newest first.', answer: operationsAnswer },
    },
  }
  scope.get('/v1/addresses/:address/operations', operations, async (request, reply) => {
    const { address } = request.params
    const { role } = request.query
    const roles = role ? [role] : (['creator', 'target'] as const)
    const found = await pickHistory(history, request).operationsOf(address, { roles, ...readPage(request.query) })
    return sendFound(reply, address, found)
  })
  for (const { path, method, ...description } of LISTS) {
    const options = { schema: { params, querystring: slotsQuery }, config: { description } }
    scope.get(path, options, async (request, reply) => {
      const { address } = request.params
      const found = await pickHistory(history, request)[method](address, readPage(request.query))
      return sendFound(reply, address, found)
    })
  }
  const events = {
    schema: { params, querystring: eventsQuery },
    config: {
      description: {
        summary: 'Events in whose call stack an address is, the newest first, and with proof=true who signed them.',
        answer: eventsAnswer,
      },
    },
  }
  scope.get('/v1/addresses/:address/events', events, async (request, reply) => {
    const { address } = request.params
    const isProven = request.query.proof === 'true'
    const wanted = readPage(request.query)
    const archive = pickHistory(history, request)
    const find = () => archive.eventsOf(address, wanted, isProven)
    const found = await (isProven ? proofs.run(find, isGone(reply)) : find())
    return sendFound(reply, address, found)
  })
}

/** @throws ArchiveError API_QUERY_INVALID */
function readPage({ from, to, limit, cursor }: z.output<typeof slotsQuery>) {
  return { from, to, limit, before: cursor === undefined ? undefined : parseCursor(cursor) }
}
