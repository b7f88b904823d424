import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import type { GrpcClientLimits } from '../../../telemetry/grpc/client-limits.ts'
import { type PublicServiceServer, startPublicService } from '../../../telemetry/grpc/public-service.ts'

const NEVER_MS = 600_000
const SOON_MS = 50
const PATIENT: GrpcClientLimits = { pingMs: NEVER_MS, pongMs: NEVER_MS, requestMs: NEVER_MS }
const SERVICE = '/massa.api.v1.PublicService/'
const EMPTY_MESSAGE = Buffer.alloc(5)
const PINGS = 3

describe('telemetry/grpc/client-limits', () => {
  let server: PublicServiceServer
  const sockets: Socket[] = []
  const sessions: ClientHttp2Session[] = []

  async function start(limits: Partial<GrpcClientLimits>): Promise<void> {
    const handlers = { answer: () => new Uint8Array(0), subscribe: () => {} }
    server = await startPublicService(handlers, { host: '127.0.0.1', port: 0, limits: { ...PATIENT, ...limits } })
  }

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const session of sessions.splice(0)) session.destroy()
    await server.stop()
  })

  function openSession(): ClientHttp2Session {
    const session = connectHttp2(`http://${server.url}`)
    sessions.push(session)
    return session
  }

  function call(session: ClientHttp2Session, rpc: string): ClientHttp2Stream {
    return session.request({
      ...{ [constants.HTTP2_HEADER_METHOD]: 'POST', [constants.HTTP2_HEADER_PATH]: SERVICE + rpc },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    })
  }

  async function readStatus(stream: ClientHttp2Stream): Promise<number> {
    const [headers] = (await once(stream, 'response')) as [Record<string, string>]
    stream.resume()
    if (headers['grpc-status'] !== undefined) return Number(headers['grpc-status'])
    const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>]
    return Number(trailers['grpc-status'])
  }

  for (const [who, sent] of [
    ['says nothing', ''],
    ['stops in the middle of a handshake', 'PRI * HT'],
    ['stops after it', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
  ] as const) {
    it(`cuts off who ${who}`, async () => {
      await start({ pingMs: SOON_MS, pongMs: SOON_MS })
      const socket = connect(server.port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {})
      socket.resume()
      socket.write(sent)
      await once(socket, 'close')
    })
  }

  it('keeps who answers pings, with nothing to say', async () => {
    await start({ pingMs: SOON_MS, pongMs: 10_000 })
    const session = openSession()
    for (let i = 0; i < PINGS; i++) await once(session, 'ping')
    const stream = call(session, 'GetStatus')
    stream.end(EMPTY_MESSAGE)
    assert.equal(await readStatus(stream), status.OK)
  })

  for (const rpc of ['GetStatus', 'NewFilledBlocksServer']) {
    it(`ends a ${rpc} whose request does not come, and lets go of it`, async () => {
      await start({ requestMs: SOON_MS })
      const stream = call(openSession(), rpc)
      stream.write(EMPTY_MESSAGE.subarray(0, 3))
      const closed = once(stream, 'close')
      assert.equal(await readStatus(stream), status.CANCELLED)
      await closed
    })
  }

  it('leaves a stream alone whose request has come', async () => {
    await start({ requestMs: SOON_MS, pingMs: SOON_MS })
    const session = openSession()
    const stream = call(session, 'NewFilledBlocksServer')
    stream.end(EMPTY_MESSAGE)
    let isOpen = true
    stream.once('close', () => {
      isOpen = false
    })
    // Well past the limit, as the server counts.
    for (let i = 0; i < PINGS; i++) await once(session, 'ping')
    assert.equal(isOpen, true)
  })
})
