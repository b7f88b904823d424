import assert from 'node:assert/strict'
import { fastify } from 'fastify'
import { AnswerCache } from '../../../api/gateway/answer-cache.ts'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import type { HistoryGateway } from '../../../api/gateway/history-port.ts'
import type { HistoryAnswer } from '../../../storage-worker/index.ts'

const MIB = 1024 * 1024

describe('api/gateway/answer-cache', () => {
  let asked: string[]
  let answers: Record<string, HistoryAnswer | undefined>
  let whileLooking: () => unknown
  let version: number
  let server: ReturnType<typeof fastify>

  beforeEach(() => {
    asked = []
    answers = {}
    version = 1
    whileLooking = () => undefined
    const find = async (id: string) => {
      asked.push(id)
      const found = answers[id]
      whileLooking()
      return found
    }
    server = fastify()
    const history: Partial<HistoryGateway> = {
      version: () => version,
      block: find,
      operation: find,
      operationsOf: find as never,
    }
    addGatewayRoutes(server, { history: history as HistoryGateway })
  })

  const get = async (url: string) => {
    const { statusCode, headers, body } = await server.inject({ method: 'GET', url })
    return { statusCode, body, caching: headers['cache-control'], type: headers['content-type'] }
  }

  it('gives an answer again until a period comes or goes', async () => {
    answers.a = { address: 'a', operations: [], cursor: null }
    const url = '/v1/addresses/a/operations'
    const first = await get(url)
    assert.deepEqual(await get(url), first)
    assert.deepEqual(asked, ['a'])
    version++
    answers.a = { address: 'a', operations: [1], cursor: null }
    assert.notDeepEqual(await get(url), first)
    assert.deepEqual(asked, ['a', 'a'])
  })

  it('does not keep as of now what was looked up before a period came', async () => {
    const url = '/v1/operations/a'
    answers.a = { operation: { n: 1 } }
    whileLooking = () => version++
    await get(url)
    whileLooking = () => undefined
    answers.a = { operation: { n: 2 } }
    assert.deepEqual(JSON.parse((await get(url)).body), answers.a)
  })

  it('says nothing of a block whose period is gone', async () => {
    answers.a = { block: { signature: 's' } }
    assert.equal((await get('/v1/blocks/a')).statusCode, 200)
    version++
    answers.a = undefined
    assert.equal((await get('/v1/blocks/a')).statusCode, 404)
  })

  it('sends nothing again to who has it, kept or not', async () => {
    answers.a = { block: { signature: 's' } }
    const ask = (headers: Record<string, string> = {}) => server.inject({ url: '/v1/blocks/a', headers })
    const { etag } = (await ask()).headers
    for (const _ of ['kept', 'looked up']) {
      const again = await ask({ 'if-none-match': String(etag) })
      assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, '', etag])
      assert.equal((await ask({ 'if-none-match': '"x"' })).statusCode, 200)
      version++
    }
    answers.a = { block: { signature: 't' } }
    version++
    const other = await ask({ 'if-none-match': String(etag) })
    assert.deepEqual([other.statusCode, other.body], [200, '{"block":{"signature":"t"}}'])
  })

  it('error: what is not found is looked for again', async () => {
    assert.equal((await get('/v1/blocks/a')).statusCode, 404)
    answers.a = { block: { signature: 's' } }
    assert.equal((await get('/v1/blocks/a')).statusCode, 200)
  })

  it('limit: holds 16 MiB, of answers up to 64 KiB; what was asked for longest ago goes first', () => {
    const cache = new AnswerCache()
    const answer = (bytes: number) => ({
      text: 'x'.repeat(bytes),
      type: 'json',
      version: 1,
    })
    cache.keep('long', answer(64 * 1024 + 1))
    assert.equal(cache.find('long', 1), undefined)
    for (let i = 0; i < 1_000; i++) {
      cache.keep(`/${i}`, answer(60_000))
      cache.find('/0', 1)
      assert.ok(cache.bytes <= 16 * MIB)
    }
    assert.ok(cache.bytes > 15 * MIB)
    assert.notEqual(cache.find('/0', 1), undefined)
    assert.equal(cache.find('/1', 1), undefined)
  })
})
