import assert from 'node:assert/strict'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { OPERATOR, openEveryRoute, type RegisteredRoute } from './every-route.ts'

/** The page, to which links lead with more behind them, and JSON-RPC, whose node does not look there either. */
const IGNORING = ['GET /', 'GET /explorer/app.js', 'GET /explorer/icon.svg', 'GET /explorer/style.css']
  .concat('GET /explorer/verify-worker.js')
  .flatMap((page) => [page, page.replace('GET', 'HEAD')])
  .concat('POST /', 'POST /rpc', 'POST /api/v2')

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PROPFIND', 'PUT', 'TRACE']

describe('api: every route', () => {
  let api: FastifyInstance
  let routes: readonly RegisteredRoute[]
  before(async () => {
    ;({ api, routes } = await openEveryRoute())
  })
  after(() => api.close())

  const ask = (method: string, url: string) =>
    api.inject({ method: method as NonNullable<InjectOptions['method']>, url, headers: OPERATOR })

  it('is among those that are tried', () => {
    const urls = new Set(routes.map(({ url }) => url))
    for (const url of [
      '/',
      '/health',
      '/v1/imports',
      '/v1/eras/:era',
      '/v1/archive',
      '/period/:period',
      '/v1/export',
    ]) {
      assert(urls.has(url), url)
    }
  })

  it('refuses a parameter that it does not know, but for the page and JSON-RPC', async () => {
    const ignoring: string[] = []
    for (const { method, url, path } of routes) {
      const answer = await ask(method, `${path}?proofs=true`)
      if (answer.statusCode !== 400 || (method !== 'HEAD' && !/Unrecognized key: .*proofs/.test(answer.body))) {
        ignoring.push(`${method} ${url}`)
      } else if (method !== 'HEAD') assert.match(answer.body, /"code":"API_QUERY_INVALID"/)
    }
    assert.deepEqual(ignoring.sort(), IGNORING.sort())
  })

  it('tells of an unknown parameter by a problem where it tells so of everything', async () => {
    for (const path of ['/v1/archive', '/period/5', '/era/5', '/v1/openapi.json', '/v1/blocks/B1']) {
      const answer = await ask('GET', `${path}?proofs=true`)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, path)
      assert.deepEqual([answer.statusCode, answer.json().status], [400, 400])
    }
  })

  it('refuses a method that its path does not know, and names those that it does', async () => {
    for (const url of new Set(routes.map((route) => route.url))) {
      const own = routes.filter((route) => route.url === url)
      const known = new Set(own.map(({ method }) => method))
      for (const method of METHODS) {
        const answer = await ask(method, `${own[0]?.path}?proofs=true`)
        assert.equal(answer.statusCode === 405, !known.has(method), `${method} ${url}`)
        if (known.has(method)) continue
        assert.equal(answer.headers.allow, [...known].sort().join(', '))
        assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
        assert.equal(answer.headers['access-control-allow-origin'], undefined)
        if (method !== 'HEAD') assert.equal(answer.json().code, 'API_METHOD_UNKNOWN')
      }
    }
  })

  it('has the methods of the page and of JSON-RPC at one path, HEAD where GET is, but for what never ends', () => {
    const methodsAt = (url: string) => routes.filter((route) => route.url === url).map(({ method }) => method)
    assert.deepEqual(methodsAt('/').sort(), ['GET', 'HEAD', 'POST'])
    const bare = routes.filter(({ method, url }) => method === 'GET' && !methodsAt(url).includes('HEAD'))
    assert.deepEqual(bare.map(({ url }) => url).sort(), ['/v1/export', '/v1/stream/final'])
  })

  it('is not looked for in a body: what is no JSON does not hide that nobody takes it', async () => {
    for (const [url, status] of [
      ['/v1/archive', 405],
      ['/v1/nowhere', 404],
      ['/v1/blocks', 404],
      ['/v1/blocks/', 405],
    ] as const) {
      const headers = { ...OPERATOR, 'content-type': 'application/json' }
      const answer = await api.inject({ method: 'PUT', url, headers, payload: '{' })
      assert.deepEqual([answer.statusCode, answer.json().status], [status, status], url)
    }
  })

  it('refuses by a problem what never gets to a route: a part that is too long, and one that cannot be decoded', async () => {
    for (const [id, status] of [
      ['1'.repeat(101), 414],
      ['%zz', 400],
      ['%ff', 400],
    ] as const) {
      const answer = await ask('GET', `/v1/blocks/${id}`)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
      const { code, detail } = answer.json()
      assert.deepEqual([answer.statusCode, typeof detail], [status, 'string'], id)
      assert.equal(code, 'API_QUERY_INVALID')
    }
  })
})
