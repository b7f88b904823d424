import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { createLimitedServer } from '../telemetry/limited-server.ts'

const HOST = '127.0.0.1'
const BODY_LIMIT_BYTES = 64 * 1024

/** How we say no; what other servers say has another form. */
const refusalSchema = z.object({ error: z.object({ code: z.string(), message: z.string().min(1) }) })

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
  server.setNotFoundHandler(({ method, url }, reply) => {
    const message = describeUnknown(`${method} ${url}`, Object.keys(routes))
    return reply.code(404).send({ error: { code: 'DEVNET_COMMAND_REFUSED', message } })
  })
  for (const [route, run] of Object.entries(routes)) {
    const [method = 'GET', url = '/'] = route.split(' ')
    server.route({ method, url, handler: async (request) => (await run(request.body ?? {})) ?? { done: true } })
  }
  return server
}

/** With what there is beside it. */
function describeUnknown(route: string, known: readonly string[]): string {
  const folder = route.slice(0, route.lastIndexOf('/') + 1)
  const names = known.flatMap((each) => (each.startsWith(folder) ? [each.slice(folder.length)] : []))
  const unknown = `there is no '${route.slice(folder.length)}'`
  return names.length === 0 ? unknown : `${unknown}, only ${names.join(', ')}`
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
 * DEVNET_SETTING_UP, and DEVNET_COMMAND_REFUSED for every other refusal
 */
export async function callLocalApi(
  api: { readonly url: string; readonly token: string },
  route: string,
  options: { readonly body?: object; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  const [method = 'GET', path = '/'] = route.split(' ')
  const { body, timeoutMs = 30_000 } = options
  let answer: Response
  let content: unknown
  try {
    answer = await fetch(`${api.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${api.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(timeoutMs),
    })
    content = await answer.json()
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'TimeoutError') {
      const message = `${api.url} has not answered within ${timeoutMs / 1000} s`
      throw new ArchiveError('DEVNET_NO_ANSWER', message, { url: api.url, timeoutMs }, cause)
    }
    throw new ArchiveError('DEVNET_NOT_RUNNING', `no devnet answers at ${api.url}`, { url: api.url }, cause)
  }
  if (answer.ok) return content
  const refusal = refusalSchema.safeParse(content)
  // Another program may have got the port since.
  if (answer.status === 401 || !refusal.success) {
    throw new ArchiveError('DEVNET_NOT_RUNNING', `what answers at ${api.url} is not this devnet`, { url: api.url })
  }
  const { code, message } = refusal.data.error
  throw new ArchiveError(code === 'DEVNET_SETTING_UP' ? code : 'DEVNET_COMMAND_REFUSED', message, { route })
}
