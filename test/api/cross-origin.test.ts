import assert from 'node:assert/strict'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { OPERATOR, openEveryRoute, type RegisteredRoute } from './every-route.ts'

const PAGE = 'https://wallet.example'
/** Of who runs the sidecar: his page has its own origin, and what he asks is no page's. */
const OF_OPERATOR =
  /^\/($|health$|ready$|explorer\/|v1\/(status|query|peers|challenges|draws|rewards|eras|imports)(\/|$))/

describe('api: pages of other origins', () => {
  const apis: FastifyInstance[] = []
  afterEach(async () => {
    for (const api of apis.splice(0)) await api.close()
  })

  async function open(allowedOrigins?: readonly string[]) {
    const { api, routes } = await openEveryRoute(allowedOrigins)
    apis.push(api)
    const ask = (method: string, url: string, headers: Readonly<Record<string, string>> = {}) =>
      api.inject({
        method: method as NonNullable<InjectOptions['method']>,
        url,
        headers: { host: 'localhost', origin: PAGE, ...headers },
      })
    return { routes: routes.filter(({ method }) => method !== 'OPTIONS'), ask }
  }

  const isOfOperator = ({ method, url }: RegisteredRoute) =>
    method !== 'POST' || url !== '/' ? OF_OPERATOR.test(url) : false

  it('may read history and ask JSON-RPC, and nothing that is of who runs the sidecar', async () => {
    const { routes, ask } = await open(['*'])
    for (const route of routes) {
      const { headers } = await ask(route.method, route.path)
      const allowed = isOfOperator(route) ? undefined : '*'
      assert.equal(headers['access-control-allow-origin'], allowed, `${route.method} ${route.url}`)
      assert.equal(headers['access-control-allow-credentials'], undefined)
    }
  })

  it('ask before they send JSON, and may send no header of who runs the sidecar', async () => {
    const { ask } = await open(['*'])
    for (const url of ['/', '/v1/archive', '/chunk/0']) {
      const answer = await ask('OPTIONS', url, { 'access-control-request-method': 'POST' })
      assert.deepEqual([answer.statusCode, answer.body], [204, ''])
      assert.equal(answer.headers['access-control-allow-origin'], '*')
      assert.equal(answer.headers['access-control-allow-methods'], url === '/' ? 'POST' : 'GET, HEAD')
      assert.equal(answer.headers['access-control-allow-headers'], 'content-type, range, if-range, if-none-match')
      assert.equal(answer.headers['access-control-max-age'], '86400')
    }
    for (const url of ['/v1/status', '/v1/query', '/v1/imports', '/health']) {
      const answer = await ask('OPTIONS', url, { 'access-control-request-method': 'POST', ...OPERATOR })
      assert.equal(answer.statusCode, 405)
      assert.equal(answer.headers['access-control-allow-origin'], undefined, url)
    }
  })

  it('are told apart where some may and others may not', async () => {
    const { ask } = await open(['https://other.example', PAGE])
    for (const [origin, allowed] of [
      [PAGE, PAGE],
      ['https://other.example', 'https://other.example'],
      ['https://wallet.example.evil', undefined],
      ['null', undefined],
      ['', undefined],
    ] as const) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await ask(method, '/v1/openapi.json', { origin })
        assert.equal(headers['access-control-allow-origin'], allowed)
        assert.equal(headers.vary, 'origin')
      }
    }
  })

  it('may read nothing where none is named', async () => {
    for (const origins of [[], undefined]) {
      const { routes, ask } = await open(origins)
      for (const { method, path } of routes) {
        assert.equal((await ask(method, path)).headers['access-control-allow-origin'], undefined)
      }
      assert.equal((await ask('OPTIONS', '/')).statusCode, 405)
    }
  })

  it('read why they are refused', async () => {
    const { ask } = await open(['*'])
    const answer = await ask('GET', '/v1/archive?proofs=true')
    assert.deepEqual([answer.statusCode, answer.headers['access-control-allow-origin']], [400, '*'])
  })
})
