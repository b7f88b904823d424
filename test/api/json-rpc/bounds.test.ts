import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fastify } from 'fastify'
import { createApi, listen } from '../../../api/index.ts'
import type { History } from '../../../api/json-rpc/archive-context.ts'
import { boundMessages } from '../../../api/json-rpc/message-budget.ts'
import type { NodePort } from '../../../api/json-rpc/node-proxy.ts'
import type { SlotExecution } from '../../../archiver/index.ts'
import { ArchiveError } from '../../../core/index.ts'
import { JsonText } from '../../../telemetry/json-rpc/index.ts'
import { RECORDED_NETWORK } from './recorded-archive.ts'

const BLOCK = 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW'
const OPERATION = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
const BODY_LIMIT = 52_428_800
/** Calls about what is not archived: more than run at a time. */
const UNKNOWN = 8
const BUSY = { code: -32009, message: 'Server is busy, try again later' }

/** An archive of the periods 1 to 10,000 in which nothing is, but for what a test puts there. */
function makeApi(own: Partial<History> = {}, node?: NodePort) {
  const nothing = async () => undefined
  const history: History = {
    readRange: async () => ({ first: 1, last: 10_000 }),
    findBlock: nothing,
    findSlot: nothing,
    findOperation: nothing,
    findEndorsement: nothing,
    readExecution: nothing,
    readExecutions: async () => [],
    ...own,
  }
  const identity = { network: RECORDED_NETWORK, version: 'massa-storage/test', nodeId: 'N1' }
  return createApi({
    dataDirNames: new Set(),
    status: async () => ({ problems: [] }),
    query: {} as never,
    history: { history, identity, nowMs: () => Number(RECORDED_NETWORK.genesisTimestampMs), node },
  })
}

type Api = ReturnType<typeof makeApi>

const headers = { 'content-type': 'application/json' }

async function ask(api: Api, method: string, params: unknown) {
  const answer = await api.inject({
    method: 'POST',
    url: '/',
    headers,
    payload: { jsonrpc: '2.0', id: 1, method, params },
  })
  return answer.json() as { result?: unknown[]; error?: { code: number; message: string } }
}

/** Given once, by somebody else. */
function signal<T = void>() {
  let give: (value: T) => void = () => {}
  const given = new Promise<T>((resolve) => {
    give = resolve
  })
  return { given, give: (value: T) => give(value) }
}

describe('api/json-rpc: bounds', () => {
  it('limit: a thousand blocks at a time, and no more', async () => {
    const api = makeApi()
    assert.deepEqual((await ask(api, 'get_blocks', [Array(1000).fill(BLOCK)])).result, [])
    const { error } = await ask(api, 'get_blocks', [Array(1001).fill(BLOCK)])
    assert.deepEqual(error, { code: -32000, message: 'Bad request: too many arguments' })
  })

  it('limit: a graph of 64 periods, and no more; what is outside of the archive does not count', async () => {
    const read: number[] = []
    const api = makeApi({
      findSlot: async ({ period }) => {
        read.push(period)
        return undefined
      },
    })
    const genesisMs = Number(RECORDED_NETWORK.genesisTimestampMs)
    const graph = (periods: number) =>
      ask(api, 'get_graph_interval', [{ start: 0, end: genesisMs + (1 + periods) * 16_000 }])
    assert.deepEqual((await graph(64)).result, [])
    assert.deepEqual([read.length, read[0], read.at(-1)], [64, 1, 64])
    assert.match((await graph(65)).error?.message ?? '', /^Bad request: the range holds 65 archived periods/)
  })

  it('a graph without one or both ends is of 64 periods: from the other one on, to it, or the newest', async () => {
    const read = new Set<number>()
    const api = makeApi({
      findSlot: async ({ period }) => {
        read.add(period)
        return undefined
      },
    })
    const timeOf = (period: number) => Number(RECORDED_NETWORK.genesisTimestampMs) + period * 16_000
    for (const [interval, first, last] of [
      [{}, 9_937, 10_000],
      [{ start: null, end: null }, 9_937, 10_000],
      [{ start: timeOf(500) }, 500, 563],
      [{ start: timeOf(9_990) }, 9_990, 10_000],
      [{ end: timeOf(500) }, 436, 499],
      [{ end: timeOf(20_000) }, 9_937, 10_000],
      [{ end: timeOf(3) }, 1, 2],
    ] as const) {
      read.clear()
      assert.deepEqual((await ask(api, 'get_graph_interval', [interval])).result, [])
      assert.deepEqual(
        [...read].sort((a, b) => a - b).filter((_, i, { length }) => i === 0 || i === length - 1),
        [first, last],
      )
      assert.equal(read.size, last - first + 1)
    }
  })

  it('is asked at the paths that addresses of nodes have', async () => {
    const api = makeApi()
    for (const url of ['/', '/rpc', '/api/v2', '/api/v2?key=1']) {
      const payload = { jsonrpc: '2.0', id: 1, method: 'get_status', params: [] }
      const answer = await api.inject({ method: 'POST', url, headers, payload })
      assert.equal(answer.json().result.version, 'massa-storage/test', url)
    }
  })

  it('limit: a period of 2^64 - 1 is not looked for: no number has it', async () => {
    const read: number[] = []
    const api = makeApi({
      findSlot: async ({ period }) => {
        read.push(period)
        return undefined
      },
    })
    const at = (period: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"get_blockclique_block_by_slot","params":[[${period},0]]}`
    for (const period of ['18446744073709551615', '9007199254740992', '9007199254740991']) {
      const { body } = await api.inject({ method: 'POST', url: '/', headers, payload: at(period) })
      assert.equal(body, '{"jsonrpc":"2.0","id":1,"result":null}')
    }
    assert.deepEqual(read, [Number.MAX_SAFE_INTEGER])
  })

  it('limit: events of 512 periods, and no more', async () => {
    const api = makeApi()
    const events = (periods: number) =>
      ask(api, 'get_filtered_sc_output_event', [
        { start: { period: 5, thread: 0 }, end: { period: 5 + periods, thread: 0 } },
      ])
    assert.deepEqual((await events(512)).result, [])
    assert.match((await events(513)).error?.message ?? '', /512: ask in parts$/)
    assert.match((await events(2 ** 52)).error?.message ?? '', /9996 archived periods/)
  })

  it('limit: 7000 events, those of the lowest slots', async () => {
    const event = (indexInSlot: number) => ({
      indexInSlot,
      callStack: [],
      operationId: '',
      failed: false,
      data: new Uint8Array(0),
    })
    const execution: SlotExecution = {
      source: 'stream',
      complete: true,
      trailHash: '',
      outcomes: [],
      events: Array.from({ length: 4000 }, (_, i) => event(i)),
    }
    const api = makeApi({ readExecutions: async () => [execution] })
    const { result } = await ask(api, 'get_filtered_sc_output_event', [
      { start: { period: 5, thread: 0 }, end: { period: 8, thread: 0 } },
    ])
    const periods = (result as { context: { slot: { period: number } } }[]).map(({ context }) => context.slot.period)
    assert.deepEqual([periods.length, periods.filter((period) => period === 6).length, periods.at(-1)], [7000, 3000, 6])
  })

  it('limit: four calls run, 256 wait, the next is told so; then all are answered', async () => {
    let running = 0
    let most = 0
    const released = signal()
    const api = makeApi({
      findOperation: async () => {
        most = Math.max(most, ++running)
        await released.given
        running--
        return undefined
      },
    })
    const call = () => ask(api, 'get_operations', [[OPERATION]])
    const refused = signal<unknown>()
    const calls = Array.from({ length: 261 }, async () => {
      const answer = await call()
      if (answer.error) refused.give(answer.error)
      return answer
    })
    assert.deepEqual(await refused.given, BUSY)
    released.give()
    const answers = await Promise.all(calls)
    assert.equal(answers.filter(({ result }) => result?.length === 0).length, 260)
    assert.equal(most, 4)
  })

  it('limit: sixteen calls are at the node, 256 wait for it, the next is told so; history is answered meanwhile', async () => {
    const released = signal()
    const refused = signal<unknown>()
    const allThere = signal()
    let atNode = 0
    let most = 0
    const wait = async () => {
      most = Math.max(most, ++atNode)
      if (atNode === UNKNOWN) allThere.give()
      await released.given
      atNode--
    }
    const answer = () => wait().then(() => new JsonText('null'))
    const node: NodePort = { call: answer, pass: answer, list: () => wait().then(() => []) }
    const api = makeApi({ findSlot: async () => ({ kind: 'miss' }) }, node)
    const unknown = Array.from({ length: UNKNOWN }, () => ask(api, 'get_operations', [[OPERATION]]))
    await allThere.given
    // What is of the node alone.
    const state = Array.from({ length: 265 }, async () => {
      const given = await ask(api, 'get_stakers', [])
      if (given.error) refused.give(given.error)
      return given
    })
    assert.deepEqual(await refused.given, BUSY)
    assert.equal((await ask(api, 'get_blockclique_block_by_slot', [{ period: 5, thread: 0 }])).result, null)
    released.give()
    assert((await Promise.all(unknown)).every(({ result }) => result?.length === 0))
    assert.equal((await Promise.all(state)).filter(({ result }) => result === null).length, 264)
    assert.equal(most, 16)
  })

  it('limit: bodies of 50 MiB, not the 16 KiB of other requests', async () => {
    const api = makeApi()
    const long = await ask(api, 'get_blocks', [Array(900).fill(BLOCK)])
    assert.deepEqual(long.result, [])
    const tooLong = await api.inject({
      method: 'POST',
      url: '/',
      headers: { ...headers, 'content-length': String(BODY_LIMIT + 1) },
      payload: '{}',
    })
    assert.equal(tooLong.statusCode, 413)
    assert.match(tooLong.body, /"code":-32007.*Exceeded max limit of 52428800/)
    const query = await api.inject({ method: 'POST', url: '/v1/query', headers, payload: { kind: 'x'.repeat(20_000) } })
    assert.equal(query.statusCode, 413)
  })

  it('long requests and answers for which there is no room together are told to come again', async () => {
    const server = fastify()
    const held = signal()
    const released = signal()
    const closed = signal()
    boundMessages(server, 250_000, { type: 'text/plain', text: 'busy' })
    server.post('/held', { bodyLimit: 1_000_000 }, async (_request, reply) => {
      reply.raw.once('close', () => closed.give())
      held.give()
      await released.given
      return 'short'
    })
    server.get('/answer', async () => 'a'.repeat(100_000))
    server.get('/long-answer', async (_request, reply) => {
      return reply.headers({ etag: '"a"', 'cache-control': 'immutable' }).send(Buffer.alloc(250_001))
    })
    const url = await server.listen({ host: '127.0.0.1', port: 0 })
    const post = () =>
      fetch(`${url}/held`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(200_000) })
    const first = post()
    await held.given
    assert.equal((await post()).status, 503)
    assert.equal((await fetch(`${url}/answer`)).status, 503)
    released.give()
    assert.equal(await (await first).text(), 'short')
    await closed.given
    assert.equal((await fetch(`${url}/answer`)).status, 200)
    const refused = await fetch(`${url}/long-answer`)
    assert.deepEqual([refused.status, await refused.text()], [503, 'busy'])
    // Of the answer that was not given nothing is said.
    assert.deepEqual(
      ['etag', 'cache-control', 'retry-after'].map((name) => refused.headers.get(name)),
      [null, null, '1'],
    )
    await server.close()
  })

  it('who does not take up a long answer in time is cut off', async () => {
    const server = fastify()
    boundMessages(server, 1e9, { type: 'text/plain', text: 'busy' }, 50)
    server.get('/', async () => Buffer.alloc(50_000_000))
    const url = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(url.port), url.hostname).pause()
    socket.on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const [peer] = await once(server.server, 'connection')
    await once(peer, 'close')
    socket.destroy()
    await server.close()
  })

  it('nothing more is read for a client that is gone', async () => {
    let reads = 0
    const released = signal()
    const begun = signal()
    const api = makeApi({
      findBlock: async () => {
        reads++
        begun.give()
        await released.given
        return undefined
      },
    })
    const url = new URL(await listen(api, { host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(url.port), url.hostname)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'get_blocks', params: [Array(1000).fill(BLOCK)] })
    const head = `host: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
    const closed = once(api.server, 'connection').then(([peer]) => once(peer, 'close'))
    socket.write(`POST / HTTP/1.1\r\n${head}\r\n\r\n${body}`)
    await begun.given
    socket.destroy()
    await closed
    released.give()
    await api.close()
    assert.equal(reads, 1)
  })

  it('error: what cannot be read is named by its code alone', async () => {
    const api = makeApi({
      findBlock: async () => {
        throw new ArchiveError('STORE_VALUE_CORRUPT', 'a path of this machine')
      },
    })
    const { error } = await ask(api, 'get_blocks', [[BLOCK]])
    assert.deepEqual(error, { code: -32001, message: 'Internal server error: STORE_VALUE_CORRUPT' })
  })

  it('error: pages of other names are refused as everywhere in the API', async () => {
    const answer = await makeApi().inject({
      method: 'POST',
      url: '/',
      headers: { ...headers, host: 'rebound.example' },
      payload: { jsonrpc: '2.0', id: 1, method: 'get_status' },
    })
    assert.equal(answer.statusCode, 403)
    assert.match(answer.body, /API_HOST_REFUSED/)
    assert.equal(answer.headers['access-control-allow-origin'], undefined)
  })

  it('an archive with nothing in it answers with nothing', async () => {
    const api = makeApi({ readRange: async () => undefined })
    assert.deepEqual((await ask(api, 'get_graph_interval', [{}])).result, [])
    assert.deepEqual((await ask(api, 'get_filtered_sc_output_event', [{ is_error: true }])).result, [])
    const { result } = (await ask(api, 'get_status', [])) as unknown as { result: { execution_stats: object } }
    assert.deepEqual((result.execution_stats as { final_cursor: object }).final_cursor, { period: 0, thread: 0 })
  })
})
