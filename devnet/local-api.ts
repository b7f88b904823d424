import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { createLimitedServer } from './limited-server.ts'

const HOST = '127.0.0.1'
const BODY_LIMIT_BYTES = 64 * 1024

/** A route answers JSON; `body` is what was posted, or undefined. */
export type LocalRoute = (body: unknown) => unknown

export interface LocalApi {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/**
 * A small HTTP API on loopback that answers only who knows the token: another user of the machine, or a page in a
 * browser, does not.
 *
 * @param routes - by `METHOD /path`
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startLocalApi(
  options: { readonly port: number; readonly token: string },
  routes: Readonly<Record<string, LocalRoute>>,
): Promise<LocalApi> {
  const { port, token } = options
  const server = createServer(token, routes)
  try {
    await server.listen({ host: HOST, port })
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    const message = `cannot listen on ${HOST}:${port} (${reason})`
    throw new ArchiveError('DEVNET_LISTEN_FAILED', message, { port, reason }, cause)
  }
  const address = server.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${HOST}:${bound}`,
    port: bound,
    close: async () => {
      server.server.closeAllConnections()
      await server.close()
    },
  }
}

function createServer(token: string, routes: Readonly<Record<string, LocalRoute>>): FastifyInstance {
  const server = createLimitedServer({ bodyLimit: BODY_LIMIT_BYTES })
  server.addHook('onRequest', async (request, reply) => {
    if (knows(request.headers.authorization, token)) return
    return reply.code(401).send({ error: { code: 'DEVNET_COMMAND_REFUSED', message: 'the token is missing or wrong' } })
  })
  server.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    if (isArchiveError(error)) return reply.code(400).send({ error: { code: error.code, message: error.message } })
    const status = error instanceof z.ZodError ? 400 : (error.statusCode ?? 500)
    const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message
    return reply.code(status).send({ error: { code: 'DEVNET_COMMAND_REFUSED', message } })
  })
  for (const [route, run] of Object.entries(routes)) {
    const [method = 'GET', url = '/'] = route.split(' ')
    server.route({ method, url, handler: async (request) => (await run(request.body ?? {})) ?? { done: true } })
  }
  return server
}

function knows(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/**
 * Asks such an API.
 *
 * @throws ArchiveError DEVNET_NOT_RUNNING when nobody listens, or somebody else; DEVNET_NO_ANSWER when the time is over;
 * DEVNET_COMMAND_REFUSED
 */
export async function callLocalApi(
  api: { readonly url: string; readonly token: string },
  route: string,
  options: { readonly body?: object; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  const [method = 'GET', path = '/'] = route.split(' ')
  const { body, timeoutMs = 30_000 } = options
  let answer: Response
  let content: { readonly error?: { readonly message: string } }
  try {
    answer = await fetch(`${api.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${api.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(timeoutMs),
    })
    content = (await answer.json()) as typeof content
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'TimeoutError') {
      const message = `${api.url} has not answered within ${timeoutMs / 1000} s`
      throw new ArchiveError('DEVNET_NO_ANSWER', message, { url: api.url, timeoutMs }, cause)
    }
    throw new ArchiveError('DEVNET_NOT_RUNNING', `no devnet answers at ${api.url}`, { url: api.url }, cause)
  }
  if (answer.ok) return content
  // Another program may have got the port since.
  if (answer.status === 401 || !content.error) {
    throw new ArchiveError('DEVNET_NOT_RUNNING', `what answers at ${api.url} is not this devnet`, { url: api.url })
  }
  throw new ArchiveError('DEVNET_COMMAND_REFUSED', content.error.message, { route })
}
