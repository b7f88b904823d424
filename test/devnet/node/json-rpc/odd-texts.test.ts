import assert from 'node:assert/strict'
import { type Face, SteppedClock, startFace } from '../face.ts'

/** What a massa-node (MAIN.3.0) answers to texts that are no Unicode. */
describe('devnet/node/json-rpc: texts that are no Unicode', () => {
  let face: Face

  before(async () => {
    face = await startFace(new SteppedClock(), [])
  })

  after(() => face.close())

  const post = async (body: string | Uint8Array) => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(face.url, { method: 'POST', headers, body: Buffer.from(body) })).json()
  }
  const ask = (id: string) => `{"jsonrpc":"2.0","id":1,"method":"get_blocks","params":[["${id}"]]}`

  for (const [id, words] of [
    ['\\ud800', 'unexpected end of hex escape at line 1 column 9'],
    ['\\ud800x', 'unexpected end of hex escape at line 1 column 9'],
    ['\\ud800\\n', 'unexpected end of hex escape at line 1 column 10'],
    ['\\ud800\\u0041', 'lone leading surrogate in hex escape at line 1 column 14'],
    ['\\u0041\\udc00', 'lone leading surrogate in hex escape at line 1 column 14'],
    ['\\udc00', 'lone leading surrogate in hex escape at line 1 column 8'],
    ['\\ud83d\\ude00', 'block id parsing error at line 1 column 15'],
    ['\\\\ud800', 'block id parsing error at line 1 column 10'],
  ] as const) {
    it(`error: ${id} is answered with: ${words}`, async () => {
      const error = { code: -32602, message: 'Invalid params', data: words }
      assert.deepEqual(await post(ask(id)), { jsonrpc: '2.0', id: 1, error })
    })
  }

  it('error: a key of a request with half a pair makes it none', async () => {
    const error = { code: -32700, message: 'Parse error' }
    assert.deepEqual(await post('{"\\ud800":1,"jsonrpc":"2.0","id":1,"method":"get_status"}'), {
      jsonrpc: '2.0',
      id: null,
      error,
    })
  })

  it('error: bytes that are no UTF-8 make a request invalid, and a batch none', async () => {
    const request = Buffer.from(ask('?'))
    request[request.indexOf('?')] = 0xff
    const invalid = { code: -32600, message: 'Invalid request' }
    assert.deepEqual(await post(request), { jsonrpc: '2.0', id: 1, error: invalid })
    const none = { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } }
    assert.deepEqual(await post(Buffer.concat([Buffer.from('['), request, Buffer.from(']')])), none)
    assert.deepEqual(await post(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])), none)
  })
})
