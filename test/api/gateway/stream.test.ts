import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { addGatewayRoutes } from '../../../api/gateway/gateway.ts'
import { addStreamRoutes } from '../../../api/gateway/stream-routes.ts'
import { openGatewayScope } from '../../../api/gateway/typed-scope.ts'
import { ArchiveError } from '../../../core/index.ts'
import { createLimitedServer } from '../../../telemetry/limited-server.ts'
import { StillClock } from '../../clocks.ts'
import { MadeFinals } from '../../storage-worker/history/made-finals.ts'
import { settle, until } from '../../turns.ts'

const PATH = '/v1/stream/final'

describe('api/gateway/stream', () => {
  let server: FastifyInstance
  let made: MadeFinals
  let clock: StillClock

  /** @param stalledMs - after which a client is cut off that takes up nothing */
  async function open(stalledMs = 30_000): Promise<number> {
    clock = new StillClock()
    made = new MadeFinals(clock)
    made.add(10, 14)
    server = createLimitedServer({}, { headMs: 10_000, requestMs: 30_000, stalledMs, lookMs: 1_000 })
    addGatewayRoutes(server, { history: undefined, finals: made.finals })
    await server.listen({ host: '127.0.0.1', port: 0 })
    return (server.server.address() as AddressInfo).port
  }

  afterEach(() => server.close())

  /** What a reader gets; an answer that is no stream has ended. */
  async function read(port: number, path = PATH, headers: Record<string, string> = {}) {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const got = { status: answer.statusCode, headers: answer.headers, text: '', isEnded: false }
    answer.setEncoding('utf8').on('data', (text: string) => {
      got.text += text
    })
    answer.on('end', () => {
      got.isEnded = true
    })
    // Ended by the other side: what came until then counts.
    answer.on('error', () => undefined)
    return Object.assign(got, { leave: () => asked.destroy() })
  }

  async function refusal(port: number, path: string, id: string) {
    const answer = await read(port, path, { 'last-event-id': id })
    // A stream that is opened instead does not end.
    assert.notEqual(answer.status, 200, `${path} ${id}`)
    await until(() => answer.isEnded, 'the problem')
    return { status: answer.status, json: JSON.parse(answer.text) as Record<string, unknown> }
  }

  const idsOf = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)

  it('gives one event for each slot in the order of the chain, from a period on, and goes on when the next is archived', async () => {
    const reader = await read(await open(), `${PATH}?from=13`)
    assert.equal(reader.headers['content-type'], 'text/event-stream')
    await until(() => idsOf(reader.text).length === 64, '64 events')
    const ids = [13, 14].flatMap((period) => Array.from({ length: 32 }, (_, thread) => `${period}.${thread}`))
    assert.deepEqual(idsOf(reader.text), ids)
    const events = reader.text.split('\n\n')
    assert.equal(events[0], 'retry: 2000')
    const [block, miss] = [events[1], events[4]].map((event) => JSON.parse(event?.split('\ndata: ')[1] ?? ''))
    assert.match(block.blockId, /^B/)
    assert.deepEqual(
      { ...block, blockId: '' },
      { slot: { period: 13, thread: 0 }, kind: 'block', blockId: '', operations: 1 },
    )
    assert.deepEqual(miss, { slot: { period: 13, thread: 3 }, kind: 'miss', blockId: null, operations: 0 })
    made.add(15)
    clock.advance(500)
    await until(() => idsOf(reader.text).at(-1) === '15.31', 'the next period')
    reader.leave()
  })

  it('goes on behind the event that a reader had last, and begins with the next period for who names none', async () => {
    const port = await open()
    const again = await read(port, `${PATH}?from=10`, { 'last-event-id': '13.30' })
    await until(() => idsOf(again.text).length === 33, '33 events')
    assert.deepEqual(idsOf(again.text).slice(0, 2), ['13.31', '14.0'])
    const behind = await read(port, PATH, { 'last-event-id': '13.31' })
    await until(() => idsOf(behind.text).length === 32, '32 events')
    assert.equal(idsOf(behind.text)[0], '14.0')
    const live = await read(port)
    await settle()
    assert.deepEqual(idsOf(live.text), [])
    made.add(15)
    clock.advance(500)
    await until(() => idsOf(live.text).length === 32, 'the next period')
    assert.equal(idsOf(live.text)[0], '15.0')
  })

  it('writes a period once for all who read it', async () => {
    const port = await open()
    const readers = await Promise.all(Array.from({ length: 20 }, () => read(port, `${PATH}?from=13`)))
    await until(() => readers.every(({ text }) => idsOf(text).length === 64), 'all events')
    assert.equal(made.looks, 64)
    for (const reader of readers) reader.leave()
  })

  it('tells of periods that are left out', async () => {
    const port = await open()
    made.add(17, 100)
    const reader = await read(port, PATH, { 'last-event-id': '14.31' })
    await until(() => reader.text.includes('id: 17.0'), 'the period behind the hole')
    assert(reader.text.includes('event: gap\nid: 16.31\ndata: {"from":15,"to":16}\n\nid: 17.0\n'))
  })

  it('error: refuses what it cannot begin with, and says what went wrong later as its last event', async () => {
    const port = await open()
    for (const [path, id, status, code] of [
      [`${PATH}?from=9`, '', 404, 'API_HISTORY_UNKNOWN'],
      [`${PATH}?from=-1`, '', 400, 'API_QUERY_INVALID'],
      [PATH, '13', 400, 'API_QUERY_INVALID'],
      [PATH, '13.32', 400, 'API_QUERY_INVALID'],
    ] as const) {
      const refused = await refusal(port, path, id)
      assert.deepEqual([refused.status, refused.json.code], [status, code])
    }
    const reader = await read(port)
    made.failure = new ArchiveError('STORE_CHUNK_AWAY', 'not on this disk')
    clock.advance(500)
    await until(() => reader.isEnded, 'the end')
    assert.match(reader.text, /event: problem\ndata: \{.*"code":"STORE_CHUNK_AWAY".*\}\n\n$/)
    made.failure = undefined
    const head = await server.inject({ method: 'HEAD', url: PATH })
    assert.equal(head.statusCode, 404)
  })

  it('limit: waits for a period up to 225 ahead of the newest, and for none beyond', async () => {
    const port = await open()
    for (const [path, id] of [
      [`${PATH}?from=239`, ''],
      [PATH, '239.30'],
    ] as const) {
      const reader = await read(port, path, { 'last-event-id': id })
      assert.equal(reader.status, 200)
      reader.leave()
    }
    for (const [path, id] of [
      [`${PATH}?from=240`, ''],
      [`${PATH}?from=${Number.MAX_SAFE_INTEGER}`, ''],
      [PATH, '239.31'],
      [PATH, '999999999999999.31'],
    ] as const) {
      const { status, json } = await refusal(port, path, id)
      assert.deepEqual([status, json.code], [400, 'API_PERIOD_AHEAD'], path + id)
      assert.match(String(json.detail), /: 14 is the newest/)
    }
    made.archived.clear()
    const { status, json } = await refusal(port, `${PATH}?from=225`, '')
    assert.deepEqual([status, json.code], [400, 'API_PERIOD_AHEAD'])
    assert.match(String(json.detail), /none is archived/)
  })

  it('limit: so many readers, and a place is free when one leaves', async () => {
    const port = await open()
    const readers = await Promise.all(Array.from({ length: 256 }, () => read(port)))
    assert.deepEqual(new Set(readers.map(({ status }) => status)), new Set([200]))
    const refused = await read(port)
    await until(() => refused.isEnded, 'the refusal')
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '10'])
    assert.equal(JSON.parse(refused.text).code, 'API_BUSY')
    readers[0]?.leave()
    let status: number | undefined
    while (status !== 200) status = (await read(port)).status
  })

  it('limit: for one that never reads nothing more is made, and he is cut off', async () => {
    const port = await open(300)
    made.add(15, 50_000)
    const socket = await neverRead(port)
    socket.on('error', () => undefined)
    // Nobody reads on this side, so that its end is seen by who serves.
    const [served] = (await once(server.server, 'request').then(([asked]) => [asked.socket])) as [Socket]
    await once(served, 'close')
    assert(made.read.length < 5_000, `${made.read.length} periods`)
    const before = made.read.length
    await settle()
    assert.equal(made.read.length, before)
    socket.destroy()
  })

  it('limit: one that never reads is cut off, too, when he goes on sending', async () => {
    await open()
    made.add(15, 50_000)
    const busy = createLimitedServer({})
    openGatewayScope(busy, (scope) => addStreamRoutes(scope, made.finals, 300))
    await busy.listen({ host: '127.0.0.1', port: 0 })
    const socket = await neverRead((busy.server.address() as AddressInfo).port)
    socket.on('error', () => undefined)
    const sending = setInterval(() => socket.write('\n'), 20)
    const [asked] = (await once(busy.server, 'request')) as [IncomingMessage]
    await once(asked.socket, 'close')
    clearInterval(sending)
    socket.destroy()
    await busy.close()
  })

  async function neverRead(port: number): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port }).pause()
    await once(socket, 'connect')
    socket.write(`GET ${PATH}?from=10 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
    return socket
  }

  it('ends every stream when the server stops', async () => {
    const port = await open()
    const readers = await Promise.all(Array.from({ length: 3 }, () => read(port, `${PATH}?from=14`)))
    await until(() => readers.every(({ text }) => idsOf(text).length === 32), 'all events')
    await server.close()
    await until(() => readers.every(({ isEnded }) => isEnded), 'the end of all')
  })
})
