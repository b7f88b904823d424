import type { FastifyInstance, FastifyReply } from 'fastify'
import { MAX_BODY_BYTES } from '../../telemetry/json-rpc/index.ts'

/** Shorter ones are not counted: what a thousand of them take is little. */
const SMALL_BYTES = 65_536

/**
 * Bounds what the long requests and answers of a scope take together, from the first byte until the client has them or is
 * gone: one alone may have 50 MiB, and a client may be slow.
 *
 * @param busy - what is sent, with 503, instead of the answer to one for which there is no room
 */
export function boundMessages(scope: FastifyInstance, totalBytes: number, busy: string): void {
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
  scope.addHook('onRequest', async ({ headers }, reply) => {
    // Who does not say how long it is may send as much as anybody.
    const undeclared = headers['transfer-encoding'] === undefined ? 0 : MAX_BODY_BYTES
    const declared = Number(headers['content-length'] ?? undeclared)
    if (hold(Math.min(declared, MAX_BODY_BYTES), reply)) return
    return reply.code(503).header('connection', 'close').type('application/json; charset=utf-8').send(busy)
  })
  scope.addHook('onSend', async (_request, reply, payload) => {
    if (typeof payload !== 'string' || hold(Buffer.byteLength(payload), reply)) return payload
    reply.code(503)
    return busy
  })
}
