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

  it('gives again what never changes, whatever came meanwhile, and asks the archive once', async () => {
    answers.a = { block: { signature: 's' } }
    const first = await get('/v1/blocks/a')
    version++
    assert.deepEqual(await get('/v1/blocks/a'), first)
    assert.match(first.caching ?? '', /immutable/)
    assert.deepEqual(asked, ['a'])
  })

  it('gives again what may change until a period comes or goes', async () => {
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

  it('what lacks a signature, or the root of its era, may change', async () => {
    for (const [name, answer] of Object.entries({
      unsigned: { block: {} },
      open: { block: { signature: 's' }, proof: { era: null } as never },
    })) {
      answers[name] = answer
      assert.equal((await get(`/v1/blocks/${name}`)).caching, 'no-cache', name)
    }
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
      caching: 'no-cache',
      version: undefined,
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
