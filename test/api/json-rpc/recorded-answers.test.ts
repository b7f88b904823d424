import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { createApi } from '../../../api/index.ts'
import { type Slot, slotIndex } from '../../../core/index.ts'
import { computeShape, diffShapes } from '../../devnet/node/json-rpc/json-shape.ts'
import { archiveRecorded, RECORDED_NETWORK } from './recorded-archive.ts'

interface Exchange {
  readonly case: string
  readonly http: { readonly method: 'GET' | 'POST'; readonly headers: Record<string, string> }
  readonly request: string
  readonly status: number
  readonly contentType: string
  readonly response: string
}

const FILE = new URL('../../fixtures/sandbox-jsonrpc/exchanges.ndjson.gz', import.meta.url)
const EXCHANGES = gunzipSync(readFileSync(FILE))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Exchange)

/** Those that recorded answers speak of. */
const PERIODS = [2, 3, 4, 5, 6, 7, 14, 38, 39]
const NODE_ID = 'N12f9Lt5j4aK3EtFCtPxz82pxSiTCTSTTNiPKepuxa93VVhCPPNu'
const NOW_MS = 1_795_247_657_723

/**
 * What the node answered with final blocks of these periods, and how many items it gave where there is a list: recorded
 * lists were cut.
 */
const SAME_ITEMS = {
  'blocks: 130 ids': 130,
  'blocks: final, again': 1,
  'operations: some minutes old': 6,
  'endorsements: final, unknown': 1,
  'events: final by emitter': 128,
  'events: by caller': 25,
  // The node gives one more: two events of (7, 31) have index 0 there, and it finds the second where it looks for the first.
  'events: errors': 67,
  'events: slots': 1,
}
const SAME_TEXT = [
  'block at slot: final',
  'block at slot: final period, thread 0',
  'block at slot: final period, thread 19',
]

/** What the node says of anything that nobody has, and of what is no request: the same text, status and content type. */
const SAME_REFUSAL = [
  'graph, bad params',
  'blocks: none',
  'blocks: malformed id',
  'blocks: operation id given',
  'block at slot: future',
  'block at slot: thread 32',
  'operations: unknown',
  'operations: malformed',
  'operations: 129',
  'endorsements: malformed',
  'events: final only flag',
  'malformed JSON',
  'empty body',
  'array, empty',
  'no jsonrpc field',
  'no id (notification)',
  'text/plain',
  'batch 17',
  'wrong param type',
  'missing params',
]

describe('api/json-rpc, what a massa-node (MAIN.3.0) answered about the same chain', function () {
  this.timeout(60_000)
  let api: FastifyInstance

  before(async () => {
    const { history } = await archiveRecorded(PERIODS)
    api = createApi({
      dataDirNames: new Set(),
      status: async () => ({ problems: [] }),
      query: {} as never,
      history: {
        history,
        identity: { network: RECORDED_NETWORK, version: 'massa-storage/test', nodeId: NODE_ID },
        nowMs: () => NOW_MS,
      },
    })
  })

  after(() => api.close())

  const find = (name: string) => EXCHANGES.find((one) => one.case === name) ?? assert.fail(`no exchange ${name}`)
  const replay = ({ http, request }: Exchange) => api.inject({ ...http, url: '/', payload: request })

  for (const name of SAME_REFUSAL) {
    it(`${name}: the same text, status and content type`, async () => {
      const exchange = find(name)
      const { statusCode, headers, body } = await replay(exchange)
      assert.equal(body, exchange.response)
      assert.deepEqual([statusCode, headers['content-type']], [exchange.status, exchange.contentType])
    })
  }

  for (const name of SAME_TEXT) {
    it(`${name}: the same text`, async () => {
      assert.equal((await replay(find(name))).body, find(name).response)
    })
  }

  for (const [name, count] of Object.entries(SAME_ITEMS)) {
    it(`${name}: the same ${count} items, field by field in one order`, async () => {
      const found = readList((await replay(find(name))).body)
      const recorded = readList(find(name).response)
      assert.equal(found.length, count)
      assert.deepEqual(found.slice(0, recorded.length), recorded)
    })
  }

  it('graph, final window: the same blocks, in the order of slots, where the node has none', async () => {
    const texts = readList(find('graph, final window').response)
    const slotOf = (text: string) => slotIndex((JSON.parse(text) as { slot: Slot }).slot)
    const recorded = texts.toSorted((a, b) => slotOf(a) - slotOf(b))
    assert.deepEqual(readList((await replay(find('graph, final window'))).body), recorded)
  })

  it('what the node has forgotten is still answered', async () => {
    const { request } = find('operations: first of the run (forgotten)')
    const { params } = JSON.parse(request) as { params: [string[]] }
    assert.equal(find('operations: first of the run (forgotten)').response, '{"jsonrpc":"2.0","id":1,"result":[]}')
    const found = readList((await replay(find('operations: first of the run (forgotten)'))).body)
    assert.deepEqual(
      found.map((text) => (JSON.parse(text) as { id: string }).id),
      params[0],
    )
  })

  it('a status has the fields of the node, in its order, each of its kind', async () => {
    const recorded = computeShape(JSON.parse(find('status').response))
    const found = computeShape((await replay(find('status'))).json())
    assert.deepEqual(diffShapes(recorded, found), { missing: [], extra: [] })
  })
})

/** JSON of each item of a result. */
function readList(response: string): string[] {
  const { result } = JSON.parse(response) as { result: unknown[] }
  return result.map((item) => JSON.stringify(item))
}
