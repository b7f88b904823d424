import assert from 'node:assert/strict'
import { fastify } from 'fastify'
import { isOwner, nameCaller } from '../../api/caller.ts'
import { DATA_DIR_HEADER } from '../../api/data-dir-header.ts'
import { addGatewayRoutes } from '../../api/gateway/gateway.ts'
import { costOf } from '../../api/gateway/request-cost.ts'
import { addArchiveRpc } from '../../api/json-rpc/archive-rpc.ts'
import { RateLimit } from '../../api/rate-limit.ts'
import { isArchiveError } from '../../core/index.ts'
import { ManualClock } from '../clocks.ts'

describe('api/rate-limit', () => {
  const exceeded = (error: unknown) => isArchiveError(error, 'API_RATE_EXCEEDED')

  it('lets each caller ask at his rate, with a burst', () => {
    const clock = new ManualClock(0)
    const limit = new RateLimit({ requestsPerSecond: 2 }, clock)
    for (let i = 0; i < 20; i++) limit.take('a', 1)
    assert.throws(() => limit.take('a', 1), exceeded)
    limit.take('b', 20)
    clock.advance(500)
    limit.take('a', 1)
    assert.throws(() => limit.take('a', 1), exceeded)
  })

  it('lets through what costs more than the burst, once in a while', () => {
    const clock = new ManualClock(0)
    const limit = new RateLimit({ requestsPerSecond: 1 }, clock)
    limit.take('a', 1_000)
    assert.throws(() => limit.take('a', 1_000), exceeded)
    clock.advance(10_000)
    limit.take('a', 1_000)
  })

  it('limit: remembers 10,000 callers', () => {
    const limit = new RateLimit({ requestsPerSecond: 1 }, new ManualClock(0))
    limit.take('first', 10)
    for (let i = 0; i < 9_999; i++) limit.take(`${i}`, 1)
    assert.throws(() => limit.take('first', 1), exceeded)
    for (let i = 0; i < 10_000; i++) limit.take(`other ${i}`, 1)
    limit.take('first', 1)
  })

  for (const [forwarded, caller] of [
    [undefined, '127.0.0.1'],
    ['203.0.113.7', '203.0.113.7'],
    ['1.2.3.4, 203.0.113.7', '203.0.113.7'],
    ['203.0.113.7, nonsense', '127.0.0.1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2/64'],
    ['2001:db8::9', '2001:db8:0:0/64'],
    ['::1', '0:0:0:0/64'],
  ] as const) {
    it(`who is forwarded as '${forwarded}' is ${caller}`, () => {
      assert.equal(nameCaller(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, '127.0.0.1'), caller)
    })
  }

  it('who runs the sidecar names its data directory, and comes by no web server', () => {
    assert(isOwner({ [DATA_DIR_HEADER]: 'folder 1 2' }))
    assert(!isOwner({}))
    assert(!isOwner({ [DATA_DIR_HEADER]: 'folder 1 2', 'x-forwarded-for': '203.0.113.7' }))
  })

  it('holds history over HTTP and JSON-RPC to one rate, and tells when to come again; the owner may go on', async () => {
    const rates = new RateLimit({ requestsPerSecond: 1 }, new ManualClock(0))
    const server = fastify()
    addGatewayRoutes(server, { history: undefined, rates })
    addArchiveRpc(server, { rates } as never)
    const get = (headers: Record<string, string> = {}) => server.inject({ url: '/v1/slots/1/1?proof=true', headers })
    assert.equal((await get()).statusCode, 409)
    const refused = await get()
    assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [429, '10'])
    assert.equal(refused.json().code, 'API_RATE_EXCEEDED')
    const rpc = await server.inject({ method: 'POST', url: '/', payload: {} })
    assert.equal(rpc.json().code, 'API_RATE_EXCEEDED')
    assert.equal((await get({ [DATA_DIR_HEADER]: 'folder 1 2' })).statusCode, 409)
    assert.equal((await get({ 'x-forwarded-for': '203.0.113.7' })).statusCode, 409)
    await server.close()
  })

  it('counts what takes much work ten times', () => {
    assert.equal(costOf({ url: '/v1/blocks/B1', route: '/v1/blocks/:id' }), 1)
    assert.equal(costOf({ url: '/v1/blocks/B1?proof=true', route: '/v1/blocks/:id' }), 10)
    assert.equal(costOf({ url: '/period/5', route: '/period/:period' }), 10)
  })
})
