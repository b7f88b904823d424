import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify'

/** How long a client may keep a connection without getting on; then it is cut off. */
export interface ClientLimits {
  /** From connecting, or from the first byte of a request, to the end of its head. */
  readonly headMs: number
  /** To the end of the request. */
  readonly requestMs: number
  /** In which a client takes up nothing of an answer that waits for it, or asks nothing more. */
  readonly stalledMs: number
  /** Between looks at the first two. */
  readonly lookMs: number
}

/** 50 MiB, the most that any request has, come in a second from near by: only who does not mean to send it takes longer. */
export const CLIENT_LIMITS: ClientLimits = { headMs: 10_000, requestMs: 30_000, stalledMs: 30_000, lookMs: 1_000 }

/**
 * A server that no client can make hold its connections, and what they hold, for ever.
 *
 * Imported by its path: most commands start without a web server.
 */
export function createLimitedServer(options: FastifyServerOptions, limits = CLIENT_LIMITS): FastifyInstance {
  const { headMs, requestMs, stalledMs, lookMs } = limits
  const server = fastify({
    ...options,
    logger: false,
    forceCloseConnections: true,
    requestTimeout: requestMs,
    connectionTimeout: stalledMs,
    keepAliveTimeout: stalledMs,
    http: { headersTimeout: headMs, requestTimeout: requestMs, connectionsCheckingInterval: lookMs },
  })
  server.addHook('onRequest', async ({ raw: { socket } }, reply) => {
    // Node cuts off who is silent; who waits for an answer that takes long has to be, and who does not read it may not.
    reply.raw.on('timeout', () => {
      if (socket.writableLength > 0) socket.destroy()
    })
  })
  return server
}
