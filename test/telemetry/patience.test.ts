import assert from 'node:assert/strict'
import { NodeProxy } from '../../api/index.ts'
import { fetchAnswer } from '../../cli/fetch-answer.ts'
import { openHttpSource } from '../../storage-worker/archive-file/http-source.ts'
import { createTransport } from '../../storage-worker/node-transport.ts'
import { Patience, type StartTimer } from '../../telemetry/patience.ts'
import { type DrippingServer, serveDripping } from '../dripping-server.ts'

const NEVER = new AbortController().signal

describe('telemetry/patience', () => {
  let server: DrippingServer

  afterEach(() => server.stop())

  /** Ends once the answer has begun. */
  const startTimer: StartTimer = (_limitMs, end) => {
    void server.dripped.then(end)
    return () => undefined
  }

  /** Aborted at the same moment, as by Ctrl-C. */
  function leaving(): AbortSignal {
    const ending = new AbortController()
    void server.dripped.then(() => ending.abort(new DOMException('SIGINT', 'AbortError')))
    return ending.signal
  }

  async function readAll(patience: Patience): Promise<void> {
    await patience.wait(1, async () => {
      const answer = await fetch(server.url, { signal: patience.signal })
      for await (const _piece of patience.read(answer)) {
      }
    })
  }

  it('limit: an answer that comes byte by byte is over in time', async () => {
    server = await serveDripping()
    const patience = new Patience(undefined, startTimer)
    await assert.rejects(readAll(patience), { name: 'TimeoutError' })
    assert(patience.isOver)
    await server.left
  })

  it('an answer that comes byte by byte ends with the signal of its user', async () => {
    server = await serveDripping()
    const patience = new Patience(leaving(), () => () => undefined)
    await assert.rejects(readAll(patience), { name: 'AbortError', message: 'SIGINT' })
    assert(!patience.isOver)
    await server.left
  })

  it('who stops reading closes the connection', async () => {
    server = await serveDripping()
    const patience = new Patience(undefined)
    for await (const piece of patience.read(await fetch(server.url))) {
      assert.notEqual(piece.length, 0)
      break
    }
    await server.left
  })

  it('a node that is asked for another is given up in time', async () => {
    server = await serveDripping()
    const node = new NodeProxy({ url: server.url, startTimer })
    await assert.rejects(node.call('get_status', [], NEVER), { code: -32001, message: /it does not answer/ })
    await server.left
  })

  it('a node is asked no longer than the one who asks waits', async () => {
    server = await serveDripping()
    await assert.rejects(new NodeProxy({ url: server.url }).call('get_status', [], leaving()), { name: 'AbortError' })
    await server.left
  })

  it('a node that is asked about the registry is given up in time', async () => {
    server = await serveDripping()
    const ask = createTransport({ url: server.url, timeoutMs: 7, startTimer })
    await assert.rejects(ask('get_status', []), { code: 'CHAIN_NODE_UNREACHABLE', message: /no answer within 7 ms/ })
    await server.left
  })

  it('the gateway of another ends with Ctrl-C', async () => {
    server = await serveDripping()
    await assert.rejects(fetchAnswer(server.url, '/v1/archive', leaving()), { name: 'AbortError' })
    await server.left
  })

  it('a file on a server ends with Ctrl-C', async () => {
    server = await serveDripping(({ headers }, response) => {
      const last = Number(headers.range?.split('-')[1])
      response.writeHead(206, { 'content-range': `bytes 0-${last - 1}/${last}`, 'content-length': last })
    })
    await assert.rejects(openHttpSource(server.url, leaving()), { name: 'AbortError' })
    await server.left
  })
})
