import type { FastifyInstance } from 'fastify'

/** Of requests: what a page may send beside what any form can. Never a header of the operator's (./data-dir-header.ts, ./token-header.ts). */
const ALLOWED_HEADERS = 'content-type, range, if-range, if-none-match'
/** Of answers: what a page may read beside what any may. */
const EXPOSED_HEADERS = 'content-disposition, content-range, etag, retry-after'
/** Of a preflight; browsers keep none longer than a day. */
const MAX_AGE_S = 86_400

/**
 * Lets pages of other origins read what the routes of a scope answer (CORS), as a massa-node lets them: no cookies, and no header
 * that names who runs this sidecar. Before the other hooks of the scope and its routes.
 *
 * @param origins - that may, `*` for all; empty: none
 */
export function allowOrigins(scope: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  const allowsAll = origins.includes('*')
  scope.addHook('onRoute', ({ method, url }) => {
    if (method !== 'GET' && method !== 'POST') return
    const methods = method === 'GET' ? 'GET, HEAD' : method
    scope.options(url, { config: { ignoresQuery: true } }, (_request, reply) =>
      reply
        .headers({
          'access-control-allow-methods': methods,
          'access-control-allow-headers': ALLOWED_HEADERS,
          'access-control-max-age': MAX_AGE_S,
        })
        .code(204)
        .send(),
    )
  })
  scope.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    if (!allowsAll) reply.header('vary', 'origin')
    const allowed = allowsAll ? '*' : origins.find((one) => one === origin)
    if (allowed === undefined) return
    reply.headers({ 'access-control-allow-origin': allowed, 'access-control-expose-headers': EXPOSED_HEADERS })
  })
}
