import assert from 'node:assert/strict'
import { RPC_METHODS } from '../../../../devnet/node/json-rpc/rpc-methods.ts'
import { answerBody, type RunCall } from '../../../../telemetry/json-rpc/index.ts'
import { type Face, makeWallet, SteppedClock, startFace } from '../face.ts'

const NOBODY = makeWallet('nobody').address
const LIMIT = 52_428_800
const ONE = { jsonrpc: '2.0', id: 1, method: 'x' }
/** Around a text: `{"jsonrpc":"2.0","id":1,"result":""}`. */
const AROUND = 36
const TOO_BIG = { code: -32008, message: 'Response is too big', data: `Exceeded max limit of ${LIMIT}` }
const BATCH_TOO_BIG = {
  code: -32011,
  message: 'The batch response was too large',
  data: `Exceeded max limit of ${LIMIT}`,
}

describe('devnet/node/json-rpc: answers of any size', function () {
  this.timeout(60_000)
  let face: Face

  before(async () => {
    face = await startFace(new SteppedClock(), [])
  })

  after(() => face.close())

  const post = async (method: string, params: unknown) => {
    const body = JSON.stringify({ ...ONE, method, params })
    return fetch(face.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  }

  it('limit: 50 MiB are sent; of one byte more a massa-node says that it is too big, and so do we', async () => {
    const body = JSON.stringify(ONE)
    const longest = await answerBody(body, async () => 'a'.repeat(LIMIT - AROUND))
    assert.equal(Buffer.byteLength(longest), LIMIT)
    assert.deepEqual(JSON.parse(await answerBody(body, async () => 'a'.repeat(LIMIT - AROUND + 1))), {
      jsonrpc: '2.0',
      id: 1,
      error: TOO_BIG,
    })
    // Bytes, not characters.
    assert.match(await answerBody(body, async () => 'ä'.repeat(LIMIT / 2)), /-32008/)
  })

  it('limit: the answers to a batch have 50 MiB together', async () => {
    const body = JSON.stringify([ONE, ONE])
    let calls = 0
    const run = (extra: number) => async () => 'a'.repeat(calls++ % 2 === 0 ? LIMIT - 2 * AROUND - 3 - 10 + extra : 10)
    assert.equal(Buffer.byteLength(await answerBody(body, run(0))), LIMIT)
    assert.deepEqual(JSON.parse(await answerBody(body, run(1))), { jsonrpc: '2.0', id: null, error: BATCH_TOO_BIG })
  })

  it('refuses a list of addresses that is too much for an answer', async () => {
    const answer = await post('get_addresses', [Array.from({ length: 150_000 }, () => NOBODY)])
    assert.equal(answer.status, 200)
    assert.deepEqual(((await answer.json()) as { error: unknown }).error, TOO_BIG)
  })

  for (const [method, item] of [
    ['get_addresses', NOBODY],
    ['get_datastore_entries', { address: NOBODY, key: [1] }],
  ] as const) {
    it(`${method} of 5000 leaves others their turns, and answers in order`, async () => {
      let turns = 0
      let isOver = false
      const count = () => {
        turns++
        if (!isOver) setImmediate(count)
      }
      const body = JSON.stringify({ ...ONE, method, params: [Array.from({ length: 5_000 }, () => item)] })
      setImmediate(count)
      const run: RunCall = async (call) => RPC_METHODS.get(call.method)?.run(face, call.params)
      const answer = JSON.parse(await answerBody(body, run)) as { result: unknown[] }
      isOver = true
      assert.equal(answer.result.length, 5_000)
      assert(turns >= 30, `${turns} turns`)
    })
  }
})
