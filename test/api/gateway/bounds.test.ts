import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { HistoryGateway } from '../../../api/gateway/history-port.ts'
import { createApi, listen } from '../../../api/index.ts'
import { toHex } from '../../../core/index.ts'
import { until } from '../../turns.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

describe('api/gateway: bounds', function () {
  this.timeout(120_000)
  before(openRecordedArchive)

  it('limit: makes eight proofs at a time, lets 248 wait, and refuses the next; answers without proof wait for none', async () => {
    const { answers } = await openRecordedArchive()
    let begun = 0
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: Partial<HistoryGateway> = {
      slot: async (slot, hasProof) => {
        if (hasProof) {
          begun++
          await released
        }
        return { slot, kind: 'miss' }
      },
    }
    const server = await openRecordedGateway({ history: Object.assign(Object.create(answers), slow) })
    const asked = Array.from({ length: 256 }, (_, i) => server.inject(`/v1/slots/${i}/1?proof=true`))
    await until(() => begun === 8, 'eight proofs')
    const refused = await server.inject('/v1/slots/300/1?proof=true')
    assert.deepEqual([refused.statusCode, refused.json().code], [503, 'API_BUSY'])
    assert.equal(refused.headers['retry-after'], '1')
    assert.equal((await server.inject('/v1/slots/300/1')).statusCode, 200)
    assert.equal(begun, 8)
    release()
    assert.deepEqual(new Set((await Promise.all(asked)).map(({ statusCode }) => statusCode)), new Set([200]))
    await server.close()
  })

  describe('over a connection', () => {
    let api: FastifyInstance
    let port: number
    before(async () => {
      const { answers, store } = await openRecordedArchive()
      api = createApi({
        dataDirNames: new Set(),
        status: async () => ({ problems: [] }),
        query: {} as never,
        gateway: { history: answers, store },
      })
      port = Number(new URL(await listen(api, { host: '127.0.0.1', port: 0 })).port)
    })
    after(() => api.close())

    /** What is answered to some bytes, until the other side closes. */
    async function send(text: string): Promise<string> {
      const socket = connect({ host: '127.0.0.1', port })
      let answer = ''
      socket.setEncoding('latin1').on('data', (more: string) => {
        answer += more
      })
      // Closed while it is still sent to: the answer is what counts.
      socket.on('error', () => undefined)
      socket.write(text)
      await once(socket, 'close')
      return answer
    }

    const ask = (target: string, headers = '') =>
      send(`GET ${target} HTTP/1.1\r\nhost: localhost\r\n${headers}connection: close\r\n\r\n`)

    for (const [what, target] of [
      ['climbs up', '/chunk/../../../../etc/passwd'],
      ['climbs up, encoded', '/chunk/%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
      ['climbs up, twice encoded', '/chunk/%252e%252e%252fetc'],
      ['has a zero byte', '/v1/blocks/%00'],
      ['is no UTF-8', '/v1/blocks/%ff%fe'],
      ['is no encoding', '/v1/blocks/%zz'],
      ['has slashes for nothing', '//v1///blocks//B1'],
      ['is absolute', 'http://other.example/v1/blocks/B1'],
      ['is a backslash', '/period\\5'],
      ['has a parameter of 5,000 letters', `/v1/blocks/${'B'.repeat(5_000)}`],
      ['names a prototype', '/v1/blocks/__proto__?constructor=1&proof=true'],
      ['asks twice', '/v1/slots/5/5?proof=true&proof=false'],
      ['asks for a list', '/v1/search?q[]=1&q[]=2'],
    ] as const) {
      it(`a path that ${what} is refused with a code`, async () => {
        const [head = '', body = ''] = (await ask(target)).split('\r\n\r\n')
        assert.match(head, /^HTTP\/1\.1 (400|404|414) /)
        assert.match(body, /"code":"\w+"/, body)
        assert(!body.includes('root:'))
      })
    }

    it('a flood of headers, and a line without end, are cut off', async () => {
      for (const [answer, status] of [
        [await ask('/health', 'x-flood: 1\r\n'.repeat(4_000)), 431],
        [await send(`GET /${'a'.repeat(40_000)}`), 431],
        [await send('nonsense\r\n\r\n'), 400],
        [await ask('/health', `content-length: 1\r\ncontent-length: 2\r\n`), 400],
      ] as const) {
        const [head = '', body = ''] = answer.split('\r\n\r\n')
        assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\ncontent-type: application/problem\\+json\r\n`))
        const problem = JSON.parse(body)
        assert.deepEqual([problem.status, problem.code], [status, 'API_REQUEST_REFUSED'])
      }
    })

    it('a body that is too long, or none, is refused by a problem', async () => {
      const post = (body: string, length = body.length) =>
        send(
          `POST /v1/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
        )
      for (const [answer, status] of [
        [await post('', 17_000), 413],
        [await post('{'), 400],
      ] as const) {
        const [head = '', body = ''] = answer.split('\r\n\r\n')
        assert.match(head, /content-type: application\/problem\+json/)
        const problem = JSON.parse(body)
        assert.deepEqual([problem.status, problem.code], [status, 'API_REQUEST_REFUSED'], head)
      }
    })

    it('of a body that nobody asked for nothing is kept', async () => {
      const answer = await ask('/health', 'content-length: 1000000000\r\n')
      assert.match(answer, /^HTTP\/1\.1 200 /)
      const post = await send(
        'POST /v1/blocks/B1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\nconnection: close\r\n\r\n',
      )
      assert.match(post, /^HTTP\/1\.1 405 /)
    })

    it('ranges that no bytes are in are refused, and none makes more of a chunk than there is', async () => {
      const { periods } = await openRecordedArchive()
      const chunkId = toHex(periods[0]?.manifest.chunks[0]?.chunkId ?? new Uint8Array())
      for (const [range, status] of [
        ['bytes=999999999999999-', 416],
        ['bytes=99999999999999999999-', 416],
        [`bytes=${'9'.repeat(400)}-`, 416],
        ['bytes=99999999999999999999-99999999999999999999', 416],
        ['bytes=0-999999999999999', 206],
        ['bytes=-999999999999999', 206],
        ['bytes=-99999999999999999999', 206],
        ['bytes=-0', 416],
        [`bytes=${Array.from({ length: 500 }, (_, i) => `${i}-${i}`).join(',')}`, 200],
      ] as const) {
        const answer = await ask(`/chunk/${chunkId}`, `range: ${range}\r\n`)
        assert(answer.startsWith(`HTTP/1.1 ${status} `), `${range.slice(0, 40)}: ${answer.slice(0, 40)}`)
        assert(answer.length < 8_192)
        if (status === 416) assert.match(answer, /"code":"API_RANGE_UNSATISFIABLE"/)
      }
    })
  })
})
