import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { ArchiveError, type Clock, isArchiveError } from '../../core/index.ts'
import type { DevnetChain } from './chain/devnet-chain.ts'
import { JsonRpcError } from './json-rpc-error.ts'
import { RequestParams } from './request-params.ts'
import { RPC_METHODS } from './rpc-methods.ts'

const HOST = '127.0.0.1'
/** As a node's `max_request_body_size`. */
const MAX_BODY_BYTES = 52_428_800
const MAX_BATCH = 16

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
  const server = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  server.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    // What fastify refuses before we see it: too long, cut off.
    const status = error.statusCode ?? 500
    if (status === 413) return sendJson(reply, failure(null, { code: -32007, message: 'Request is too big' }))
    return reply.code(status).type('text/plain').send('')
  })
  server.all('*', async (request, reply) => {
    if (request.method !== 'POST') {
      return reply.code(405).type('text/plain').send('Used HTTP Method is not allowed. POST is required\n')
    }
    if (!/^application\/json(?:$|;)/i.test(request.headers['content-type'] ?? '')) {
      return reply
        .code(415)
        .type('text/plain')
        .send('Supplied content type is not allowed. Content-Type: application/json is required\n')
    }
    const body = typeof request.body === 'string' ? request.body : ''
    if (body === '') reply.code(400)
    return sendJson(reply, await answer(modules, body))
  })
  return server
}

function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(value === undefined ? '' : JSON.stringify(value))
}

/** The answer to a body; undefined for a notification, which gets none. */
async function answer(modules: JsonRpcServerModules, body: string): Promise<unknown> {
  let request: unknown
  try {
    request = JSON.parse(body)
  } catch {
    return failure(null, { code: -32700, message: 'Parse error' })
  }
  if (!Array.isArray(request)) return await answerOne(modules, request)
  if (request.length === 0) return failure(null, INVALID_REQUEST)
  if (request.length > MAX_BATCH) {
    const data = `Exceeded max limit of ${MAX_BATCH}`
    return failure(null, { code: -32010, message: 'The batch request was too large', data })
  }
  const answers: unknown[] = []
  for (const one of request) {
    const answered = await answerOne(modules, one)
    if (answered !== undefined) answers.push(answered)
  }
  return answers.length === 0 ? undefined : answers
}

const INVALID_REQUEST = { code: -32600, message: 'Invalid request' }

async function answerOne({ chain, clock }: JsonRpcServerModules, request: unknown): Promise<unknown> {
  if (typeof request !== 'object' || request === null) return failure(null, INVALID_REQUEST)
  const { jsonrpc, id, method, params } = request as Record<string, unknown>
  const isId = typeof id === 'number' || typeof id === 'string'
  if (jsonrpc !== '2.0' || typeof method !== 'string') return failure(isId ? id : null, INVALID_REQUEST)
  if (id === undefined) return undefined
  const run = RPC_METHODS.get(method)
  if (!run) return failure(isId ? id : null, { code: -32601, message: 'Method not found' })
  try {
    const nowMs = clock.nowMs()
    await chain.advanceTo(nowMs)
    const result = run(chain, new RequestParams(params), nowMs)
    // An operation that was accepted is on disk before its sender learns of it.
    await chain.written()
    return { jsonrpc: '2.0', id, result }
  } catch (error) {
    return failure(isId ? id : null, describe(error))
  }
}

function describe(error: unknown): { code: number; message: string; data?: string } {
  if (error instanceof JsonRpcError) {
    const { code, message, data } = error
    return data === undefined ? { code, message } : { code, message, data }
  }
  if (isArchiveError(error, 'DEVNET_ENGINE_REQUEST_INVALID')) {
    return { code: -32602, message: 'Invalid params', data: error.message }
  }
  if (isArchiveError(error)) return { code: -32000, message: `Bad request: ${error.message}` }
  throw error
}

function failure(id: unknown, error: object): unknown {
  return { jsonrpc: '2.0', id, error }
}
