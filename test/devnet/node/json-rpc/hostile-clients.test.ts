import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Face, makeWallet, SteppedClock, startFace } from '../face.ts'

const ALICE = makeWallet('alice')
const BODY_LIMIT = 52_428_800
const REQUEST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'get_addresses', params: [[ALICE.address]] })

describe('devnet/node/json-rpc against hostile clients', () => {
  let face: Face
  const sockets: Socket[] = []

  before(async () => {
    face = await startFace(new SteppedClock(), [ALICE])
  })

  after(async () => {
    for (const socket of sockets) socket.destroy()
    await face.close()
  })

  const post = (body: string) =>
    fetch(face.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const open = async () => {
    const socket = connect(Number(new URL(face.url).port), '127.0.0.1')
    sockets.push(socket)
    // What becomes of it is its own affair.
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const head = (lengthBytes: number) =>
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${lengthBytes}\r\n\r\n`

  /** Somebody else is answered as if nothing were. */
  async function assertServes(): Promise<void> {
    const answer = (await (await post(REQUEST)).json()) as { result: [{ address: string }] }
    assert.equal(answer.result[0].address, ALICE.address)
  }

  it('limit: 50 MiB are read, one byte more is refused as a massa-node does', async function () {
    this.timeout(60_000)
    const longest = REQUEST.padEnd(BODY_LIMIT, ' ')
    assert.equal((await post(longest)).status, 200)
    const tooLong = await post(`${longest} `)
    assert.equal(tooLong.status, 413)
    assert.deepEqual(await tooLong.json(), {
      jsonrpc: '2.0',
      id: null,
      error: { code: -32007, message: 'Request is too big', data: 'Exceeded max limit of 52428800' },
    })
    await assertServes()
  })

  it('two hundred clients at once are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => post(REQUEST)))
    assert(answers.every(({ status }) => status === 200))
    await Promise.all(answers.map((answer) => answer.arrayBuffer()))
  })

  it('two hundred clients that stop in the middle of a request hold up nobody', async () => {
    for (let i = 0; i < 200; i++) (await open()).write(`${head(1_000)}{"jsonrpc":`)
    await assertServes()
  })

  it('a client that never reads its answers holds up nobody', async () => {
    const socket = await open()
    socket.pause()
    for (let i = 0; i < 200; i++) socket.write(`${head(REQUEST.length)}${REQUEST}`)
    await assertServes()
  })

  it('a client that goes away before its answer holds up nobody', async () => {
    const socket = await open()
    socket.write(`${head(REQUEST.length)}${REQUEST}`)
    socket.resetAndDestroy()
    await assertServes()
  })

  it('what is no HTTP is answered 400 and cut off', async () => {
    for (const garbage of [Buffer.alloc(4_096, 0xff), Buffer.from('16030100a5010000a10303', 'hex'), 'GET\r\n\r\n']) {
      const socket = await open()
      const chunks: Buffer[] = []
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.write(garbage)
      await once(socket, 'close')
      assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 400 /)
    }
    await assertServes()
  })

  it('JSON of any depth is read or refused', async () => {
    for (const depth of [100, 100_000]) {
      const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`
      const body = `{"jsonrpc":"2.0","id":1,"method":"get_operations","params":[${nested}]}`
      const { error } = (await (await post(body)).json()) as { error: { code: number } }
      assert.equal(error.code, -32602)
    }
    await assertServes()
  })
})
