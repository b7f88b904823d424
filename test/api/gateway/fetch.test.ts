import assert from 'node:assert/strict'
import { type FastifyInstance, fastify } from 'fastify'
import { DATA_DIR_HEADER } from '../../../api/data-dir-header.ts'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import type { HistoryGateway } from '../../../api/gateway/history-port.ts'

/** Answers each question with who it is. */
function answering(name: string, fetching?: HistoryGateway): HistoryGateway {
  const answer = async () => ({ answeredBy: name })
  const chunk = async () => new TextEncoder().encode(JSON.stringify({ answeredBy: name }))
  return new Proxy({ chunk, fetching, version: () => 1 } as unknown as HistoryGateway, {
    get: (target, method) => (method in target ? Reflect.get(target, method) : answer),
  })
}

const URLS = [
  '/v1/blocks/B1',
  '/v1/operations/O1?proof=true',
  '/v1/endorsements/E1',
  '/v1/slots/1/2',
  '/v1/periods/1?proof=false',
  '/v1/addresses/AU1/operations?limit=3',
  `/chunk/${'0'.repeat(64)}`,
  '/v1/completeness',
]

describe('api/gateway, what only others hold', () => {
  const servers: FastifyInstance[] = []
  after(async () => {
    for (const server of servers) await server.close()
  })

  function open(history: HistoryGateway) {
    const server = fastify()
    servers.push(server)
    addGatewayRoutes(server, { history })
    return async (url: string, isOwner: boolean) => {
      const headers = isOwner ? { [DATA_DIR_HEADER]: 'name' } : {}
      const answer = await server.inject({ method: 'GET', url, headers })
      return { status: answer.statusCode, ...(answer.json() as { answeredBy?: string; code?: string }) }
    }
  }
  const withFetch = (url: string, value: string) => `${url}${url.includes('?') ? '&' : '?'}fetch=${value}`

  it('is fetched for who runs the sidecar, when he asks so', async () => {
    const get = open(answering('disk', answering('network')))
    for (const url of URLS) {
      assert.equal((await get(withFetch(url, 'true'), true)).answeredBy, 'network', url)
      assert.equal((await get(withFetch(url, 'false'), true)).answeredBy, 'disk', url)
      assert.equal((await get(url, true)).answeredBy, 'disk', url)
    }
  })

  it('error: is refused to everybody else, who is answered from the disk', async () => {
    const get = open(answering('disk', answering('network')))
    for (const url of URLS) {
      // What he was answered is kept for nobody else.
      await get(withFetch(url, 'true'), true)
      const { status, code } = await get(withFetch(url, 'true'), false)
      assert.deepEqual([status, code], [403, 'API_FETCH_OFF'], url)
      assert.equal((await get(url, false)).answeredBy, 'disk', url)
    }
  })

  it('with api.fetch, and where no others are met, all are answered alike', async () => {
    const get = open(answering('all'))
    for (const url of URLS) {
      for (const isOwner of [true, false]) {
        assert.equal((await get(withFetch(url, 'true'), isOwner)).answeredBy, 'all', url)
        assert.equal((await get(url, isOwner)).answeredBy, 'all', url)
      }
    }
  })

  it('error: refuses a flag that is neither', async () => {
    const get = open(answering('disk'))
    for (const url of URLS) assert.equal((await get(withFetch(url, 'yes'), true)).code, 'API_QUERY_INVALID', url)
  })
})
