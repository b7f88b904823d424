import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import { type ServiceError, status } from '@grpc/grpc-js'
import { RateLimit } from '../../../api/index.ts'
import { ManualClock } from '../../clocks.ts'
import { encode, type GrpcArchive, openGrpcArchive, rangeOf, readStream } from './grpc-archive.ts'
import { makeHistory, NETWORK } from './stub-history.ts'

const NOTHING = new Uint8Array(0)
const REFUSED = {
  code: status.RESOURCE_EXHAUSTED,
  details: '127.0.0.1 asked more than 1 times a second: again in 1 s',
}

describe('api/grpc: rates', () => {
  let archive: GrpcArchive
  let clock: ManualClock
  let rates: RateLimit
  beforeEach(async () => {
    clock = new ManualClock(0)
    rates = new RateLimit({ requestsPerSecond: 1 }, clock)
    archive = await openGrpcArchive({ history: makeHistory({ first: 0, last: 99 }), network: NETWORK, rates })
  })
  afterEach(() => archive.close())

  it('limit: ten times the rate at once, then no call more until its time has come', async () => {
    for (let i = 0; i < 10; i++) await archive.caller.call('GetStatus')
    assert.deepEqual(await archive.caller.refusal('GetStatus', NOTHING), REFUSED)
    assert.deepEqual(await archive.caller.refusal('NewBlocksServer', NOTHING), REFUSED)
    const sending = archive.caller.converse('NewBlocks').on('error', () => {})
    const { code, details } = await new Promise<ServiceError>((resolve) => sending.on('status', resolve))
    assert.deepEqual({ code, details }, REFUSED)
    clock.advance(1_000)
    await archive.caller.call('GetStatus')
    assert.deepEqual(await archive.caller.refusal('GetStatus', NOTHING), REFUSED)
  })

  it('counts a stream once, however much comes of it', async () => {
    const request = encode('NewSlotExecutionOutputsRequest', { filters: [rangeOf([0, 0], [3, 0])] })
    const stream = archive.caller.open('NewSlotExecutionOutputsServer', request)
    assert.equal((await readStream(stream)).length, 96)
    for (let i = 0; i < 9; i++) await archive.caller.call('GetStatus')
    assert.deepEqual(await archive.caller.refusal('GetStatus', NOTHING), REFUSED)
  })

  it('shares its rate with HTTP and JSON-RPC, and goes by what a web server says of whom it serves', async () => {
    rates.take('127.0.0.1', 10)
    assert.deepEqual(await archive.caller.refusal('GetStatus', NOTHING), REFUSED)
    const session = connect(`http://${archive.url}`)
    const ask = async (forwarded: string): Promise<number> => {
      const stream = session.request({
        ...{ [constants.HTTP2_HEADER_METHOD]: 'POST', 'x-forwarded-for': forwarded },
        ...{ [constants.HTTP2_HEADER_PATH]: '/massa.api.v1.PublicService/GetStatus' },
        ...{ 'content-type': 'application/grpc', te: 'trailers' },
      })
      stream.end(Buffer.alloc(5)).resume()
      let code: string | string[] | undefined
      for (const event of ['response', 'trailers'] as const) {
        stream.once(event, (headers: Record<string, string>) => {
          code ??= headers['grpc-status']
        })
      }
      await once(stream, 'close')
      return Number(code)
    }
    rates.take('203.0.113.7', 9)
    assert.deepEqual(
      [await ask('127.0.0.1, 203.0.113.7'), await ask('1.2.3.4, 203.0.113.7'), await ask('203.0.113.8')],
      [status.OK, status.RESOURCE_EXHAUSTED, status.OK],
    )
    session.destroy()
  })
})
