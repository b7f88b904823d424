import * as z from 'zod'
import { answerSchemas, problem } from './answer-schemas.ts'
import type { GatewayScope } from './typed-scope.ts'

/** What the OpenAPI document says of a route beside what its schema does. */
export interface RouteDescription {
  /** One sentence. */
  readonly summary: string
  /** One of ./answer-schemas.ts, or the types of content that is no JSON. */
  readonly answer: z.ZodType | readonly string[]
  /** Headers that it takes. */
  readonly headers?: Readonly<Record<string, string>>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly description?: RouteDescription
  }
}

/** Of what `sendBytes` sends. */
export const RANGE_HEADERS = {
  Range: 'One range of bytes, such as bytes=0-99.',
  'If-Range': 'ETag of the bytes that the range is to be a part of.',
  'If-None-Match': 'ETags of what is known already.',
} as const

interface DescribedRoute extends RouteDescription {
  /** As fastify writes it. */
  readonly url: string
  readonly params: z.ZodObject | undefined
  readonly query: z.ZodObject | undefined
}

/** `GET /v1/openapi.json`: all routes of a scope that have a description, as OpenAPI 3.1. Before the routes. */
export function describeRoutes(scope: GatewayScope): void {
  const routes: DescribedRoute[] = []
  let text: string | undefined
  scope.addHook('onRoute', ({ method, url, schema, config }) => {
    if (method !== 'GET' || !config?.description) return
    const { params, querystring } = (schema ?? {}) as { params?: z.ZodObject; querystring?: z.ZodObject }
    routes.push({ ...config.description, url, params, query: querystring })
  })
  const description = { summary: 'This document.', answer: ['application/json'] }
  scope.get('/v1/openapi.json', { config: { description } }, (_request, reply) => {
    text ??= JSON.stringify(makeDocument(routes), undefined, 2)
    return reply.type('application/json; charset=utf-8').send(text)
  })
}

function makeDocument(routes: readonly DescribedRoute[]): object {
  const sorted = routes.map((route) => [pathOf(route), route] as const).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    openapi: '3.1.0',
    info: {
      title: 'massa-storage',
      version: '1',
      description:
        'Archived history of Massa over HTTP. What is answered can be verified: see docs/API.md and docs/FORMAT.md.',
    },
    paths: Object.fromEntries(sorted.map(([path, route]) => [path, { get: describe(route) }])),
    components: { schemas: listComponents() },
  }
}

function pathOf({ url }: DescribedRoute): string {
  return url.replace(/:(\w+)/g, '{$1}')
}

function describe({ summary, answer, headers, params, query }: DescribedRoute): object {
  const parameters = [
    ...listParameters('path', params),
    ...listParameters('query', query),
    ...Object.entries(headers ?? {}).map(([name, description]) => {
      return { name, in: 'header', required: false, description, schema: { type: 'string' } }
    }),
  ]
  const content =
    answer instanceof z.ZodType
      ? { 'application/json': { schema: { $ref: refOf(answer) } } }
      : Object.fromEntries(answer.map((type) => [type, {}]))
  const refusal = { 'application/problem+json': { schema: { $ref: refOf(problem) } } }
  return {
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: {
      200: { description: 'What was asked for.', content },
      ...(headers && 'Range' in headers
        ? {
            206: { description: 'A part of it.', content },
            304: { description: 'Known already.' },
            416: { description: 'The range is behind its end.' },
          }
        : {}),
      default: { description: 'A refusal.', content: refusal },
    },
  }
}

function listParameters(place: 'path' | 'query', fields: z.ZodObject | undefined): object[] {
  return Object.entries(fields?.shape ?? {}).map(([name, field]) => {
    const { $schema: _, ...schema } = z.toJSONSchema(field as z.ZodType, { io: 'output' })
    return { name, in: place, required: !(field as z.ZodType).safeParse(undefined).success, schema }
  })
}

function listComponents(): object {
  const { schemas } = z.toJSONSchema(answerSchemas, { io: 'output', uri: (id) => `${COMPONENTS}${id}` })
  return Object.fromEntries(
    Object.entries(schemas)
      .map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

const COMPONENTS = '#/components/schemas/'

/** @throws Error when it has no name */
function refOf(schema: z.ZodType): string {
  const known = answerSchemas.get(schema)
  if (!known) throw new Error('an answer without a name')
  return COMPONENTS + known.id
}
