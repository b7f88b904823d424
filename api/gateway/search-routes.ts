import * as z from 'zod'
import { fromHex, type Period, type Slot, THREAD_COUNT } from '../../core/index.ts'
import { CHANGING, fetchQuery } from './answer.ts'
import { searchAnswer } from './answer-schemas.ts'
import { type HistoryGateway, pickHistory } from './history-port.ts'
import { sendProblem } from './problem.ts'
import type { GatewayScope } from './typed-scope.ts'

/** Longer than any id. */
const searchQuery = fetchQuery.extend({ q: z.string().trim().min(1).max(100) })

type Kind = 'block' | 'operation' | 'endorsement' | 'address' | 'chunk' | 'slot' | 'period'

/** What somebody typed, and where it is. */
interface Hit {
  readonly kind: Kind
  /** Of the route that shows it. */
  readonly path: string
  /** Of an operation or an endorsement the first block that has it; null where there is no such thing as a place. */
  readonly period: Period | null
  readonly thread: number | null
}

type Find = (history: HistoryGateway, text: string) => Promise<Hit | undefined>

/** By what a text looks like; no two fit one text. */
const FINDS: readonly (readonly [RegExp, Find])[] = [
  [/^B[1-9A-Za-z]{20,}$/, findBlock],
  [/^O[1-9A-Za-z]{20,}$/, findOperation],
  [/^E[1-9A-Za-z]{20,}$/, findEndorsement],
  [/^A[US][1-9A-Za-z]{20,}$/, findAddress],
  [/^[0-9a-f]{64}$/, findChunk],
  [/^\d{1,15}[./]\d{1,2}$/, findSlot],
  [/^\d{1,15}$/, findPeriod],
]

/** `GET /v1/search?q=`: what an id, an address, a slot (`period.thread` or `period/thread`) or a period is, and where. */
export function addSearchRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const options = {
    schema: { querystring: searchQuery },
    config: { description: { summary: 'What a text is, and which route shows it.', answer: searchAnswer } },
  }
  scope.get('/v1/search', options, async (request, reply) => {
    const { q } = request.query
    const find = FINDS.find(([form]) => form.test(q))?.[1]
    const hit = await find?.(pickHistory(history, request), q)
    if (hit) return reply.header('cache-control', CHANGING).send(hit)
    const why = find ? 'is not in this archive' : 'is no id, address, slot or period'
    return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `'${q}' ${why}`)
  })
}

async function findBlock(history: HistoryGateway, id: string): Promise<Hit | undefined> {
  const { block } = ((await history.block(id, false)) ?? {}) as { block?: { slot: Slot } }
  return block && { kind: 'block', path: `/v1/blocks/${id}`, ...block.slot }
}

async function findOperation(history: HistoryGateway, id: string): Promise<Hit | undefined> {
  const { operation } = ((await history.operation(id, false)) ?? {}) as { operation?: Included }
  return operation && { kind: 'operation', path: `/v1/operations/${id}`, ...placeOf(operation) }
}

async function findEndorsement(history: HistoryGateway, id: string): Promise<Hit | undefined> {
  const { endorsement } = ((await history.endorsement(id, false)) ?? {}) as { endorsement?: Included }
  return endorsement && { kind: 'endorsement', path: `/v1/endorsements/${id}`, ...placeOf(endorsement) }
}

async function findAddress(history: HistoryGateway, address: string): Promise<Hit | undefined> {
  const page = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1 }
  const lists = {
    operations: () => history.operationsOf(address, { ...page, roles: ['creator', 'target'] }),
    blocks: () => history.blocksOf(address, page),
    endorsements: () => history.endorsementsOf(address, page),
    events: () => history.eventsOf(address, page, false),
  }
  for (const [list, read] of Object.entries(lists)) {
    const { [list]: found } = await read()
    if (!(found as readonly object[]).length) continue
    return { kind: 'address', path: `/v1/addresses/${address}/${list}`, period: null, thread: null }
  }
  return undefined
}

async function findChunk(history: HistoryGateway, id: string): Promise<Hit | undefined> {
  if (!(await history.chunk(fromHex(id)))) return undefined
  return { kind: 'chunk', path: `/chunk/${id}`, period: null, thread: null }
}

async function findSlot(history: HistoryGateway, text: string): Promise<Hit | undefined> {
  const [period = 0, thread = 0] = text.split(/[./]/).map(Number)
  if (thread >= THREAD_COUNT || !(await history.slot({ period, thread }, false))) return undefined
  return { kind: 'slot', path: `/v1/slots/${period}/${thread}`, period, thread }
}

async function findPeriod(history: HistoryGateway, text: string): Promise<Hit | undefined> {
  const period = Number(text)
  if (!(await history.period(period, false))) return undefined
  return { kind: 'period', path: `/v1/periods/${period}`, period, thread: null }
}

interface Included {
  readonly inclusions: readonly { readonly slot: Slot }[]
}

function placeOf({ inclusions }: Included): Pick<Hit, 'period' | 'thread'> {
  const [first] = inclusions
  return first ? first.slot : { period: null, thread: null }
}
