import type { FastifyInstance, FastifyReply } from 'fastify'
import { MAX_BODY_BYTES } from '../../telemetry/json-rpc/index.ts'

/** Shorter ones are not counted: what a thousand of them take is little. */
const SMALL_BYTES = 65_536
/** A client that takes up 50 MiB slower than 430 kB a second is too slow for all others. */
const TAKE_UP_MS = 120_000
/** What says of an answer what it is; of another one it would be false. */
const ANSWER_HEADERS = ['cache-control', 'etag', 'accept-ranges', 'content-range', 'content-disposition'] as const

/** What is sent, with 503, instead of the answer to a request for which there is no room. */
export interface BusyAnswer {
  /** Of the content. */
  readonly type: string
  readonly text: string
}

/**
 * Bounds what the long requests and answers of a scope take together, from the first byte until the client has them or is
 * gone: one alone may have 50 MiB, and a client may be slow. Who has not taken up a long answer within two minutes is cut off.
 */
export function boundMessages(
  scope: FastifyInstance,
  totalBytes: number,
  busy: BusyAnswer,
  takeUpMs = TAKE_UP_MS,
): void {
  let heldBytes = 0
  const hold = (bytes: number, reply: FastifyReply): boolean => {
    if (bytes <= SMALL_BYTES) return true
    if (heldBytes + bytes > totalBytes) return false
    heldBytes += bytes
    reply.raw.once('close', () => {
      heldBytes -= bytes
    })
    return true
  }
  const refuse = (reply: FastifyReply) => {
    for (const name of ANSWER_HEADERS) reply.removeHeader(name)
    return reply.code(503).header('retry-after', '1').type(busy.type)
  }
  scope.addHook('onRequest', async ({ headers }, reply) => {
    // Who does not say how long it is may send as much as anybody.
    const undeclared = headers['transfer-encoding'] === undefined ? 0 : MAX_BODY_BYTES
    const declared = Number(headers['content-length'] ?? undeclared)
    if (hold(Math.min(declared, MAX_BODY_BYTES), reply)) return
    return refuse(reply).header('connection', 'close').send(busy.text)
  })
  scope.addHook('onSend', async (_request, reply, payload) => {
    const bytes = typeof payload === 'string' || payload instanceof Uint8Array ? Buffer.byteLength(payload) : 0
    if (!hold(bytes, reply)) {
      refuse(reply)
      return busy.text
    }
    if (bytes > SMALL_BYTES) cutOffAfter(reply, takeUpMs)
    return payload
  })
}

function cutOffAfter({ raw }: FastifyReply, takeUpMs: number): void {
  const timer = setTimeout(() => raw.destroy(), takeUpMs)
  raw.once('close', () => clearTimeout(timer))
}
