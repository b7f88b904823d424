import { Readable } from 'node:stream'
import * as z from 'zod'
import { ArchiveError, formatBlockId, isArchiveError, type Slot, THREAD_COUNT } from '../../core/index.ts'
import type { FinalPeriods, SlotSummary } from '../../storage-worker/index.ts'
import { withHeartbeat } from '../heartbeat.ts'
import { periodNumber } from './answer.ts'
import { cutOffSlow, PIECE_MS } from './cut-off-slow.ts'
import { historyOff } from './history-port.ts'
import { describeRefusal } from './problem.ts'
import type { GatewayScope } from './typed-scope.ts'

/** Each has a connection, and some 40 kB here. */
const MAX_READERS = 256
/** Of a reader who does not read: Node holds as much again. Then nothing is made for him until he does. */
const WAITING_BYTES = 16_384
/** Below what proxies and routers call silence. */
const HEARTBEAT_MS = 15_000
const RETRY_S = 10

const streamQuery = z.strictObject({ from: periodNumber.optional() })

/**
 * `GET /v1/stream/final`: server-sent events, one for each final slot in the order of the chain, from an archived period on
 * (`?from=`), from behind an event (`Last-Event-ID`), else from the next period on.
 */
export function addStreamRoutes(scope: GatewayScope, finals: FinalPeriods | undefined, pieceMs = PIECE_MS): void {
  const stopping = new AbortController()
  let readers = 0
  scope.addHook('preClose', async () => {
    stopping.abort()
    await finals?.idle()
  })
  const options = {
    schema: { querystring: streamQuery },
    // To HEAD the stream would be read without end.
    exposeHeadRoute: false,
    config: {
      description: {
        summary: 'Final slots as server-sent events.',
        answer: ['text/event-stream'],
        headers: { 'Last-Event-ID': 'Of the event behind which the stream begins: period.thread.' },
      },
    },
  }
  scope.get('/v1/stream/final', options, async ({ query, headers }, reply) => {
    if (!finals) throw historyOff()
    if (readers >= MAX_READERS) {
      const message = `${MAX_READERS} readers follow the final slots already`
      throw new ArchiveError('API_BUSY', message, { retryAfterS: RETRY_S })
    }
    readers++
    const gone = new AbortController()
    reply.raw.once('close', () => {
      readers--
      gone.abort()
    })
    const signal = AbortSignal.any([gone.signal, stopping.signal])
    const from = await findStart(finals, query.from, headers['last-event-id'])
    await finals.check(from.period, signal)
    const events = withHeartbeat(listEvents(finals, from, signal), ':\n\n', HEARTBEAT_MS)
    const taken = cutOffSlow(events, reply, pieceMs)
    return reply
      .headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' })
      .send(Readable.from(taken, { objectMode: false, highWaterMark: WAITING_BYTES }))
  })
}

async function findStart(
  finals: FinalPeriods,
  from: number | undefined,
  lastEventId: string | string[] | undefined,
): Promise<Slot> {
  // Who comes again has the `from` of his first time in the address.
  if (typeof lastEventId === 'string' && lastEventId !== '') return nextSlot(parseEventId(lastEventId))
  if (from !== undefined) return { period: from, thread: 0 }
  const last = await finals.readLast()
  return { period: last === undefined ? 0 : last + 1, thread: 0 }
}

/** @throws ArchiveError API_QUERY_INVALID */
function parseEventId(text: string): Slot {
  const [, period, thread] = /^(\d{1,15})\.(\d{1,2})$/.exec(text) ?? []
  if (period !== undefined && Number(thread) < THREAD_COUNT) return { period: Number(period), thread: Number(thread) }
  throw new ArchiveError('API_QUERY_INVALID', 'Last-Event-ID is no slot as this stream writes it, such as 1234.5')
}

function nextSlot({ period, thread }: Slot): Slot {
  return thread + 1 < THREAD_COUNT ? { period, thread: thread + 1 } : { period: period + 1, thread: 0 }
}

async function* listEvents(finals: FinalPeriods, from: Slot, signal: AbortSignal): AsyncGenerator<string> {
  yield 'retry: 2000\n\n'
  try {
    for await (const final of finals.follow(from.period, signal)) {
      if (final.kind === 'gap') {
        yield `event: gap\nid: ${final.to}.${THREAD_COUNT - 1}\n${dataOf({ from: final.from, to: final.to })}`
        continue
      }
      const first = final.period === from.period ? from.thread : 0
      yield textsOf(final.slots).slice(first).join('')
    }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    yield `event: problem\n${dataOf(describeRefusal(error))}`
  }
}

/** By slots as they are kept for all readers: to write ids anew for each of them takes longer than to read them. */
const texts = new WeakMap<readonly SlotSummary[], readonly string[]>()

function textsOf(slots: readonly SlotSummary[]): readonly string[] {
  const known = texts.get(slots) ?? slots.map(formatSlot)
  texts.set(slots, known)
  return known
}

function formatSlot({ slot, kind, blockId, operations }: SlotSummary): string {
  const data = { slot, kind, blockId: blockId ? formatBlockId(blockId) : null, operations }
  return `id: ${slot.period}.${slot.thread}\n${dataOf(data)}`
}

function dataOf(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}
