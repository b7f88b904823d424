import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { DATA_DIR_HEADER } from '../../api/data-dir-header.ts'
import { createApi } from '../../api/index.ts'
import type { ApiModules } from '../../api/server.ts'
import { TOKEN_HEADER } from '../../api/token-header.ts'
import type { ChunkStore } from '../../core/index.ts'

/** Lets everything pass that guards a route. */
export const OPERATOR = { host: 'localhost', [DATA_DIR_HEADER]: 'mine', [TOKEN_HEADER]: 'token' }

/** Of each name in a path something that may stand there. */
const PARAMS: Readonly<Record<string, string>> = {
  address: 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268',
  era: '5',
  id: '0'.repeat(64),
  period: '5',
  thread: '3',
}

export interface RegisteredRoute {
  /** HEAD of a GET too. */
  readonly method: string
  /** As fastify writes it. */
  readonly url: string
  /** That such a request has. */
  readonly path: string
}

/** The API of a sidecar that has everything, with nothing behind it, and all its routes. */
export async function openEveryRoute(
  allowedOrigins: readonly string[] = [],
): Promise<{ api: FastifyInstance; routes: readonly RegisteredRoute[] }> {
  const routes: RegisteredRoute[] = []
  const note = ({ method, url }: RouteOptions) => {
    for (const one of [method].flat()) routes.push({ method: one, url, path: fill(url) })
  }
  const listen = (message: unknown) => {
    ;(message as { fastify: FastifyInstance }).fastify.addHook('onRoute', note)
  }
  // Before its first route nobody else has the server.
  subscribe('fastify.initialization', listen)
  const api = createApi(makeModules(allowedOrigins))
  unsubscribe('fastify.initialization', listen)
  await api.ready()
  return { api, routes }
}

const history = { version: () => 0 }

function makeModules(allowedOrigins: readonly string[]): ApiModules {
  return {
    dataDirNames: new Set(['mine']),
    status: async () => ({ problems: [] }),
    query: {},
    eras: {},
    history: { history, nowMs: () => 0, allowedOrigins },
    gateway: { history, store: {} as ChunkStore, allowedOrigins },
    explorerFolder: '/nowhere',
    imports: {},
    token: 'token',
  } as unknown as ApiModules
}

function fill(url: string): string {
  return url.replace(/:(\w+)/g, (_, name: string) => {
    const value = PARAMS[name]
    if (value === undefined) throw new Error(`what stands at :${name} of ${url}? Say it in PARAMS`)
    return value
  })
}
