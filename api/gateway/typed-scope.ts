import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type * as z from 'zod'
import { checkShapes } from '../check-shapes.ts'
import { refuse } from './problem.ts'

/** What a handler is given is what the zod schema of its route makes of the request. */
interface ZodTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
}

/** Where routes say by zod schemas (`params`, `querystring`) what may be asked, and what they throw becomes a problem. */
export type GatewayScope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypes
>

/** A scope of its own: nothing of it holds for the other routes of the server. */
export function openGatewayScope(server: FastifyInstance, addRoutes: (scope: GatewayScope) => void): void {
  server.register(async (scope) => {
    checkShapes(scope)
    scope.setErrorHandler((error, _request, reply) => refuse(reply, error))
    addRoutes(scope.withTypeProvider<ZodTypes>())
  })
}
