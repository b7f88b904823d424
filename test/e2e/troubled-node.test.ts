import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { slotOfIndex, THREAD_COUNT } from '../../core/index.ts'
import { GrpcCaller } from '../devnet/grpc-caller.ts'
import { GOOD_REQUESTS, WatchedNode, type WatchedPorts } from './watched-node.ts'

type PortName = keyof WatchedPorts

const PORTS: readonly PortName[] = ['grpc', 'json-rpc', 'control', 'api', 'metrics']
const CROWD = 200
const SIXTY_MB = 60_000_000
/** Well below ten messages of 60 MB on top of what a node needs. */
const MOST_MEGABYTES = 450
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const CLIENT_HELLO = Buffer.from('16030100c8010000c40303', 'hex')
const HTTP_1 = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
const EMPTY_MESSAGE = Buffer.alloc(5)
/** A body of one part, whose length no header tells. */
const CHUNKED = `transfer-encoding: chunked\r\n\r\n${SIXTY_MB.toString(16)}\r\n`
const PATHS: Readonly<Record<PortName, string>> = {
  grpc: '/',
  'json-rpc': '/',
  control: '/control/pause',
  api: '/v1/query',
  metrics: '/metrics',
}

/** A node that is besieged and told to misbehave, and the sidecar that archives it through all of that. */
describe('e2e/troubled-node', function () {
  this.timeout(120_000)
  let dir: string
  let watched: WatchedNode
  let quietSockets = 0
  const sockets: Socket[] = []
  const sessions: ClientHttp2Session[] = []

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-troubled-'))
    watched = await WatchedNode.start(dir)
    await watched.until(async () => (await watched.report()).streams === 2)
    quietSockets = watched.countSockets()
  })

  after(async () => {
    leave()
    await watched?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  function leave(): void {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const session of sessions.splice(0)) session.destroy()
  }

  async function open(port: PortName, ...sent: (string | Buffer)[]): Promise<Socket> {
    const socket = connect(watched.ports[port], '127.0.0.1')
    sockets.push(socket)
    // What becomes of it is its own affair.
    socket.on('error', () => {})
    await once(socket, 'connect')
    for (const bytes of sent) socket.write(bytes)
    return socket
  }

  /** A call as a real client makes it, whose end is not sent; `windowBytes` 0 takes no byte of an answer. */
  async function callHalf(rpc: string, windowBytes: number, sent: Buffer) {
    const session = connectHttp2(`http://127.0.0.1:${watched.ports.grpc}`, {
      settings: { initialWindowSize: windowBytes },
    })
    sessions.push(session)
    session.on('error', () => {})
    const call = session.request({
      ...{ ':method': 'POST', ':path': `/massa.api.v1.PublicService/${rpc}` },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    })
    call.on('error', () => {})
    call.write(sent)
    await once(session, 'connect')
    return call
  }

  /** Its beginning, '' when the connection ends without one: cut off while it sends, a client may not come to read. */
  function readAnswer(socket: Socket): Promise<string> {
    return new Promise((resolve) => {
      socket.once('data', (bytes) => resolve(bytes.toString()))
      socket.once('close', () => resolve(''))
    })
  }

  /** While they are there everybody else is served and archived; when they have left nothing is left of them. */
  async function checkOthers(): Promise<void> {
    await watched.checkServes()
    await watched.checkArchivesOn()
    leave()
    await watched.until(() => watched.countSockets() <= quietSockets)
  }

  const inCrowd = (run: (port: PortName) => Promise<unknown>) =>
    Promise.all(PORTS.flatMap((port) => Array.from({ length: CROWD }, () => run(port))))

  it('200 clients of each port that say nothing', async () => {
    await inCrowd((port) => open(port))
    await checkOthers()
  })

  it('200 clients of each port that stop in the head of a request', async () => {
    await inCrowd((port) => open(port, port === 'grpc' ? PREFACE.slice(0, 10) : HTTP_1.slice(0, 20)))
    await checkOthers()
  })

  it('200 clients of each port that stop in the body of a request', async () => {
    const head = 'POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n'
    await inCrowd(async (port) => {
      if (port === 'grpc') await callHalf('GetStatus', 65_535, EMPTY_MESSAGE.subarray(0, 3))
      else await open(port, head, '{"jsonrpc":')
    })
    await checkOthers()
  })

  it('clients that never read their answers, of streams and of requests one behind the other', async () => {
    for (let i = 0; i < 20; i++) {
      for (const rpc of ['NewSlotExecutionOutputsServer', 'NewFilledBlocksServer']) {
        ;(await callHalf(rpc, 0, EMPTY_MESSAGE)).end()
      }
    }
    for (const [port, { route, body }] of Object.entries(GOOD_REQUESTS)) {
      const head = `${route} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
      const socket = await open(port as PortName, ...Array.from({ length: 50 }, () => head + body))
      socket.pause()
    }
    await watched.until(async () => (await watched.report()).streams === 2 + 40)
    await checkOthers()
    await watched.until(async () => (await watched.report()).streams === 2)
  })

  it('200 clients of each port that mean well are all answered', async () => {
    await Promise.all(Array.from({ length: CROWD }, () => watched.checkServes()))
    await checkOthers()
  })

  it('messages of 60 MB are refused, and are not kept in memory', async () => {
    const large = Buffer.alloc(SIXTY_MB, ' ')
    const caller = new GrpcCaller(`127.0.0.1:${watched.ports.grpc}`)
    const post = async (port: PortName, length: string) => {
      const head = `POST ${PATHS[port]} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n`
      const answer = await readAnswer(await open(port, head + length, large))
      assert.match(answer, /^(HTTP\/1\.1 4(13|01|04) |$)/, port)
    }
    try {
      await Promise.all([
        caller.refusal('GetBlocks', large).then(({ code }) => assert.equal(code, status.OUT_OF_RANGE)),
        ...PORTS.filter((port) => port !== 'grpc').flatMap((port) => [
          post(port, `content-length: ${SIXTY_MB}\r\n\r\n`),
          post(port, CHUNKED),
        ]),
      ])
    } finally {
      caller.close()
    }
    await checkOthers()
    const used = watched.readNodeMegabytes()
    assert(used < MOST_MEGABYTES, `the node uses ${used} MB`)
  })

  for (const [what, bytes] of [
    ['half a TLS handshake', CLIENT_HELLO],
    ['bytes that mean nothing', Buffer.alloc(4_096, 0xff)],
    ['the protocol of another port', ''],
  ] as const) {
    it(`${what} on each port: the connection is ended`, async () => {
      await Promise.all(
        PORTS.map(async (port) => {
          const other = port === 'grpc' ? HTTP_1 : `${PREFACE}\0\0\0\x04\0\0\0\0\0`
          const socket = await open(port, bytes === '' ? other : bytes)
          socket.resume()
          await once(socket, 'close')
        }),
      )
      await checkOthers()
    })
  }

  it('clients that break off in the middle of a request or of an answer', async () => {
    await inCrowd(async (port) => {
      const { route, body } = port === 'grpc' ? { route: 'GET /', body: '' } : GOOD_REQUESTS[port]
      const request = `${route} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      ;(await open(port, port === 'grpc' ? PREFACE : request)).resetAndDestroy()
    })
    await checkOthers()
  })

  it('delay: what comes late is archived all the same', async () => {
    await watched.order('delay', { delayMs: 150, count: 20 })
    await watched.until(async () => (await watched.report()).faults === 0)
    await watched.checkArchivesOn()
  })

  it('hang: an answer that never comes is given up for, and asked for again', async () => {
    const countGivenUp = () => watched.readMetric('node_calls_total{rpc="SearchBlocks",result="unreachable"}')
    const before = await countGivenUp()
    await watched.order('hang', { rpc: 'SearchBlocks', count: 2 })
    await watched.until(async () => (await countGivenUp()) >= before + 2)
    await watched.checkArchivesOn()
  })

  it('corrupt: a block with a flipped bit is refused with its code, and got once more', async () => {
    const countRefused = () => watched.readMetric('refused_blocks_total{code="')
    assert.equal(await countRefused(), 0)
    // Without streams blocks are asked for; a bit of a field that nobody reads changes nothing.
    while ((await countRefused()) === 0) {
      await watched.order('corrupt', { rpc: 'GetBlocks' })
      await watched.order('drop-streams')
      await watched.until(async () => (await watched.report()).faults === 0)
    }
    await watched.checkArchivesOn()
  })

  it('drop-streams: they are opened again', async () => {
    const caller = new GrpcCaller(`127.0.0.1:${watched.ports.grpc}`)
    try {
      const stream = caller.open('NewFilledBlocksServer').resume()
      await once(stream, 'metadata')
      const ended = once(stream, 'end')
      await watched.order('drop-streams')
      await ended
    } finally {
      caller.close()
    }
    await watched.until(async () => (await watched.report()).streams === 2)
    await watched.until(async () => (await watched.status()).nodes[0]?.mode === 'push')
    await watched.checkArchivesOn()
  })

  it('fork: rivals are never archived', async () => {
    const rivals = 3 * THREAD_COUNT
    await watched.order('fork', { count: rivals })
    const first = (await watched.report()).lastSlot.period + 1
    await watched.until(async () => ((await watched.status()).archived?.last ?? -1) >= first + 1)
    for (const period of [first, first + 1]) {
      const archived = await watched.readArchivedBlocks(period)
      assert.deepEqual(archived, await readFinalBlocks(period))
      assert(archived.some((id) => id !== undefined))
    }
  })

  it('through all of it nothing was lost, nothing is damaged, and both end as told', async () => {
    assert.deepEqual((await watched.status()).problems, [])
    assert.deepEqual(await watched.findDamages(), [])
    const { node, sidecar } = await watched.stop()
    assert.equal(sidecar.code, 0, sidecar.stderr)
    assert.equal(node.code, 130, node.stderr)
    assert.equal(node.stderr, '')
    const errors = sidecar.stdout.split('\n').filter((line) => line.includes('"level":"error"'))
    // What was corrupted was final all the same, until it was got once more.
    assert.deepEqual(
      errors.filter((line) => !line.includes('"msg":"final block quarantined"')),
      [],
    )
  })

  /** By thread, as the node says. */
  async function readFinalBlocks(period: number): Promise<(string | undefined)[]> {
    const found: (string | undefined)[] = []
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const slot = slotOfIndex(period * THREAD_COUNT + thread)
      const body = JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1 },
        ...{ method: 'get_blockclique_block_by_slot', params: [slot] },
      })
      const { result } = JSON.parse((await watched.ask('json-rpc', 'POST /', body)).text) as {
        result: { header: { id: string } } | null
      }
      found.push(result?.header.id)
    }
    return found
  }
})
