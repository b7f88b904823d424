import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../../core/index.ts'
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
    scope.setValidatorCompiler<z.ZodType>(({ schema }) => (input) => {
      const { success, data, error } = schema.safeParse(input)
      return success ? { value: data } : { error: refuseShape(error) }
    })
    scope.setErrorHandler((error, _request, reply) => refuse(reply, error))
    addRoutes(scope.withTypeProvider<ZodTypes>())
  })
}

function refuseShape(error: z.ZodError): ArchiveError {
  return new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${z.prettifyError(error)}`)
}
