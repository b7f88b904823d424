import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerBody, failTooLarge, MALFORMED, type RunCall, refuseBytes, type Translate } from './envelope.ts'

/** As a node's `max_request_body_size`. */
export const MAX_BODY_BYTES = 52_428_800
const JSON_TYPE = 'application/json; charset=utf-8'
const JSON_TYPES = /^application\/json(?:-rpc)?(?:; ?charset=utf-8)?$/i

/**
 * Makes the routes of a scope take bodies and refuse them as a node does; other errors go to whom the scope belongs to.
 *
 * @param scope - of a plugin: what it takes bodies as is its own
 */
export function acceptJsonRpc(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) =>
    done(null, body),
  )
  scope.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    // What fastify refuses before we see it: without a content type, or too long.
    if (error.statusCode === 415) return refuseType(reply)
    if (error.statusCode === 413) return sendJson(reply.code(413), failTooLarge(MAX_BODY_BYTES))
    throw error
  })
}

/** Answers a POST, with a node's HTTP codes. */
export async function answerPost(
  request: FastifyRequest,
  reply: FastifyReply,
  { run, translate }: { readonly run: RunCall; readonly translate?: Translate },
): Promise<FastifyReply> {
  if (!JSON_TYPES.test(request.headers['content-type'] ?? '')) return refuseType(reply)
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array(0)
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  if (!/^[ \t\r\n\f]{0,127}[{[]/.test(body)) return sendJson(reply.code(400), MALFORMED)
  return sendJson(reply, isUtf8(bytes) ? await answerBody(body, run, translate) : refuseBytes(body))
}

function refuseType(reply: FastifyReply): FastifyReply {
  const text = 'Supplied content type is not allowed. Content-Type: application/json is required\n'
  return reply.code(415).type('text/plain').send(text)
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(JSON_TYPE).send(text)
}
