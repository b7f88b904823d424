import assert from 'node:assert/strict'
import {
  type PublicServiceServer,
  type Subscriber,
  startPublicService,
} from '../../../telemetry/grpc/public-service.ts'
import { GrpcCaller, readMessages } from '../../devnet/grpc-caller.ts'

const STREAM = 'NewFilledBlocksServer'

describe('telemetry/grpc/public-service', () => {
  let server: PublicServiceServer
  let caller: GrpcCaller
  let subscribed: (subscriber: Subscriber) => void

  beforeEach(async () => {
    const handlers = {
      answer: () => new Uint8Array(0),
      subscribe: (_rpc: string, subscriber: Subscriber) => subscribed(subscriber),
    }
    server = await startPublicService(handlers, { host: '127.0.0.1', port: 0 })
    caller = new GrpcCaller(server.url)
  })

  afterEach(async () => {
    caller.close()
    await server.stop()
  })

  /** Fills a stream until it refuses, then lets its client read all of it. */
  async function fillAndRead(): Promise<Subscriber> {
    const opened = new Promise<Subscriber>((resolve) => {
      subscribed = resolve
    })
    const stream = caller.open(STREAM)
    stream.on('error', () => {})
    const subscriber = await opened
    let written = 1
    while (subscriber.write(Uint8Array.of(1))) written++
    await readMessages(stream, written)
    // A call that comes after it on the same connection: what was written has left, and the server knows.
    await caller.call('GetStatus')
    return subscriber
  }

  it('regression: a stream that drained before anybody waited for it counts as drained', async () => {
    const subscriber = await fillAndRead()
    await subscriber.drained()
    assert.equal(subscriber.closed, false)
    assert.equal(subscriber.write(Uint8Array.of(1)), true)
  })

  it('a stream whose client went away while it was full counts as drained', async () => {
    const opened = new Promise<Subscriber>((resolve) => {
      subscribed = resolve
    })
    const stream = caller.open(STREAM)
    stream.on('error', () => {})
    const subscriber = await opened
    while (subscriber.write(new Uint8Array(1024 * 1024))) {}
    const drained = subscriber.drained()
    stream.cancel()
    await drained
    await subscriber.drained()
    assert.equal(subscriber.closed, true)
  })
})
