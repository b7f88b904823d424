import type { FastifyInstance } from 'fastify'
import { ArchiveError, type Clock, isArchiveError } from '../../../core/index.ts'
import {
  acceptJsonRpc,
  answerPost,
  badRequest,
  invalidParams,
  JsonRpcError,
  MAX_BODY_BYTES,
  type RunCall,
  type Translate,
} from '../../../telemetry/json-rpc/index.ts'
import { createLimitedServer } from '../../../telemetry/limited-server.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { RPC_METHODS } from './rpc-methods.ts'

const HOST = '127.0.0.1'

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
  server.addHook('onRequest', async (_request, reply) => {
    reply.header('vary', 'origin, access-control-request-method, access-control-request-headers')
    reply.header('access-control-allow-origin', '*')
  })
  server.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    // What was cut off, and faults of ours.
    return reply
      .code(error.statusCode ?? 500)
      .type('text/plain')
      .send('')
  })
  server.register(async (scope) => {
    acceptJsonRpc(scope)
    scope.all('*', (request, reply) => {
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
      return answerPost(request, reply, { run, translate })
    })
  })
  return server
}

const translate: Translate = (error) => {
  if (isArchiveError(error, 'DEVNET_ENGINE_REQUEST_INVALID')) return invalidParams(error.message)
  return isArchiveError(error) ? badRequest(error.message) : undefined
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
