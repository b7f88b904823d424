import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { ArchiveError, type Clock } from '../../../core/index.ts'
import { createLimitedServer } from '../../../telemetry/limited-server.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { JsonRpcError } from '../json-rpc-error.ts'
import { answerBody, failTooLarge, MALFORMED, type RunCall, refuseBytes } from './envelope.ts'
import { RPC_METHODS } from './rpc-methods.ts'

const HOST = '127.0.0.1'
/** As a node's `max_request_body_size`. */
const MAX_BODY_BYTES = 52_428_800
const JSON_TYPE = 'application/json; charset=utf-8'
const JSON_TYPES = /^application\/json(?:-rpc)?(?:; ?charset=utf-8)?$/i

export interface JsonRpcServer {
  readonly url: string
  close(): Promise<void>
}

export interface JsonRpcServerModules {
  readonly chain: DevnetChain
  /** The chain is brought to its time before each request. */
  readonly clock: Pick<Clock, 'nowMs'>
}

/**
 * A chain's public JSON-RPC on loopback, as a massa-node speaks it: envelopes, batches, HTTP codes, error codes and texts.
 *
 * @param port - 0 takes a free one
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startJsonRpcServer(modules: JsonRpcServerModules, port = 0): Promise<JsonRpcServer> {
  const server = createServer(modules)
  try {
    await server.listen({ host: HOST, port })
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ArchiveError(
      'DEVNET_LISTEN_FAILED',
      `cannot listen on ${HOST}:${port} (${reason})`,
      { port, reason },
      cause,
    )
  }
  const address = server.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${HOST}:${bound}`,
    close: async () => {
      server.server.closeAllConnections()
      await server.close()
    },
  }
}

function createServer(modules: JsonRpcServerModules): FastifyInstance {
  const run = makeRun(modules)
  const server = createLimitedServer({ bodyLimit: MAX_BODY_BYTES })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('vary', 'origin, access-control-request-method, access-control-request-headers')
    reply.header('access-control-allow-origin', '*')
  })
  server.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    // What fastify refuses before we see it: too long, cut off, without a content type.
    const status = error.statusCode ?? 500
    if (status === 415) return refuseType(reply)
    if (status === 413) return sendJson(reply.code(413), failTooLarge(MAX_BODY_BYTES))
    return reply.code(status).type('text/plain').send('')
  })
  server.all('*', async (request, reply) => {
    if (request.method === 'OPTIONS') {
      // Browsers ask whether they may.
      reply
        .header('access-control-allow-methods', 'POST,OPTIONS')
        .header('access-control-allow-headers', 'content-type')
      return reply.send()
    }
    if (request.method !== 'POST') {
      return reply.code(405).type('text/plain').send('Used HTTP Method is not allowed. POST is required\n')
    }
    if (!JSON_TYPES.test(request.headers['content-type'] ?? '')) {
      return refuseType(reply)
    }
    const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array(0)
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    if (!/^[ \t\r\n\f]{0,127}[{[]/.test(body)) return sendJson(reply.code(400), MALFORMED)
    return sendJson(reply, isUtf8(bytes) ? await answerBody(body, run) : refuseBytes(body))
  })
  return server
}

function refuseType(reply: FastifyReply): FastifyReply {
  const text = 'Supplied content type is not allowed. Content-Type: application/json is required\n'
  return reply.code(415).type('text/plain').send(text)
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(JSON_TYPE).send(text)
}

function makeRun({ chain, clock }: JsonRpcServerModules): RunCall {
  return async ({ method, params }) => {
    const found = RPC_METHODS.get(method)
    if (!found) throw new JsonRpcError(-32601, 'Method not found')
    await chain.advanceTo(clock.nowMs())
    const result = await found.run({ chain }, params)
    // An operation that was accepted is on disk before its sender learns of it.
    await chain.written()
    return result
  }
}
