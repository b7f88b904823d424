import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../core/index.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Parameters in the address are for others than this route: what lies before it, or who counts visits of a page. */
    readonly ignoresQuery?: boolean
  }
}

const nothing = z.strictObject({})

/**
 * Has requests checked against the zod schemas of their routes, in this scope and those within. A route that has none for its
 * query takes no parameters: who misspells one is told so, and gets no other answer than the one that he asked for. Before the
 * routes.
 */
export function checkShapes(scope: FastifyInstance): void {
  scope.setValidatorCompiler<z.ZodType>(({ schema }) => (input) => {
    const { success, data, error } = schema.safeParse(input)
    return success ? { value: data } : { error: refuseShape(error) }
  })
  scope.addHook('onRoute', (route) => {
    if (!route.config?.ignoresQuery) route.schema = { querystring: nothing, ...route.schema }
  })
}

/** What is not of the shape that is asked for. */
function refuseShape(error: z.ZodError): ArchiveError {
  return new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${z.prettifyError(error)}`)
}
