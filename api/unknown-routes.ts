import type { FastifyInstance, FastifyReply } from 'fastify'
import { sendProblem } from './gateway/problem.ts'

/**
 * Refuses what no route is for, before anything of a body is read: 404 for a path that there is not, and 405 for a method that a
 * path does not know, with those that it does in `Allow` (RFC 9110, 15.5.6). OPTIONS is one of them: no page of another origin is
 * to read here. Before the routes.
 */
export function refuseUnknownRoutes(server: FastifyInstance): void {
  const methodsOf = new Map<string, Set<string>>()
  server.addHook('onRoute', ({ method, url }) => {
    const methods = methodsOf.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one)
    methodsOf.set(url, methods)
  })
  server.addHook('onRequest', async ({ is404, method, url }, reply): Promise<FastifyReply | undefined> => {
    if (!is404) return undefined
    const [path = ''] = url.split('?')
    const found = [...methodsOf].find(([route]) => fits(route, path))
    if (!found) return sendProblem(reply, 404, 'API_ROUTE_UNKNOWN', 'there is no such route')
    const [route, methods] = found
    const allowed = [...methods].sort().join(', ')
    return sendProblem(
      reply.header('allow', allowed),
      405,
      'API_METHOD_UNKNOWN',
      `${route} takes ${allowed}: no ${method}`,
    )
  })
}

/** @param route - as fastify writes it */
function fits(route: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = route.split('/')
  if (wanted.length !== parts.length) return false
  return wanted.every((part, at) => part.startsWith(':') || part === parts[at])
}
