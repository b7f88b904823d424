import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { createApi, DATA_DIR_HEADER } from '../../api/index.ts'
import type { Store } from '../../storage-worker/index.ts'

const HOST = { host: '127.0.0.1' }
const NAMED = { ...HOST, [DATA_DIR_HEADER]: 'the archive' }
/** Each reads more than a few records. */
const WORK = ['/v1/draws/200', '/v1/eras', '/v1/eras/3', '/v1/challenges', '/v1/challenges/m-9f86d0'] as const

describe('api: requests that take work', () => {
  const apis: FastifyInstance[] = []
  afterEach(async () => {
    for (const api of apis.splice(0)) await api.close()
  })

  function make(auditDraws: (period: number) => Promise<object>): { api: FastifyInstance; asked: string[] } {
    const asked: string[] = []
    const never = () => assert.fail('asked')
    const note =
      <T>(what: string, answer: T) =>
      async () => {
        asked.push(what)
        return answer
      }
    const api = createApi({
      dataDirNames: new Set(['the archive']),
      status: async () => ({ problems: [] }),
      query: { store: {} as Store, threads: 1 },
      challenges: { issue: never, rehearse: never, list: note('list', []), find: note('find', {}), auditDraws },
      eras: { list: note('eras', []), show: note('era', {}), failing: undefined },
    })
    apis.push(api)
    return { api, asked }
  }

  it('adversary: an image in a web page, which carries no header, has none of it done', async () => {
    const { api, asked } = make(async () => assert.fail('audited'))
    for (const url of WORK) {
      const { statusCode, json } = await api.inject({ url, headers: HOST })
      assert.deepEqual([statusCode, json().error.code], [400, 'API_DATA_DIR_UNNAMED'], url)
    }
    assert.deepEqual(asked, [])
  })

  it('are answered to who names the archive', async () => {
    const { api, asked } = make(async (period) => ({ period }))
    for (const url of WORK) assert.equal((await api.inject({ url, headers: NAMED })).statusCode, 200, url)
    assert.deepEqual(asked, ['eras', 'era', 'list', 'find'])
  })

  it('limit: one audit of draws at a time, and the next once it is over or has failed', async () => {
    const ends: (() => void)[] = []
    const fails: (() => void)[] = []
    const { api } = make((period) => {
      return new Promise((resolve, reject) => {
        ends.push(() => resolve({ period }))
        fails.push(() => reject(new Error('made')))
      })
    })
    const ask = (period: number) => api.inject({ url: `/v1/draws/${period}`, headers: NAMED })
    const answers = [ask(100), ask(200)]
    const refused = await Promise.race(answers)
    assert.deepEqual([refused.statusCode, refused.json().error.code, ends.length], [429, 'API_AUDIT_UNDER_WAY', 1])
    ends[0]?.()
    const [first] = await Promise.all(answers)
    assert.deepEqual(first?.json(), { audit: { period: 100 } })
    const failing = [ask(300), ask(400)]
    assert.equal((await Promise.race(failing)).statusCode, 429)
    fails[1]?.()
    assert.equal((await Promise.all(failing))[0]?.statusCode, 500)
    const last = [ask(500), ask(600)]
    await Promise.race(last)
    ends[2]?.()
    assert.equal((await Promise.all(last))[0]?.statusCode, 200)
  })
})
