import assert from 'node:assert/strict'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { OPERATOR, openEveryRoute, type RegisteredRoute } from './every-route.ts'

/** The page, to which links lead with more behind them, and JSON-RPC, whose node does not look there either. */
const IGNORING = ['GET /', 'GET /explorer/app.js', 'GET /explorer/icon.svg', 'GET /explorer/style.css']
  .concat('GET /explorer/verify-worker.js')
  .flatMap((page) => [page, page.replace('GET', 'HEAD')])
  .concat('POST /')

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
})
