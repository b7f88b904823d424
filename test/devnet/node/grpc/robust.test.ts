import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js'
import {
  NewSlotExecutionOutputsResponseCodec,
  slotFromProtobuf,
  slotIndex,
  THREAD_COUNT,
} from '../../../../core/index.ts'
import { GrpcCaller } from '../../grpc-caller.ts'
import { ALICE, BOB, pass, send, transfer } from '../chain/made-chain.ts'
import { type GrpcNode, openGrpcNode } from './grpc-node.ts'

const QUICK = { endorsements: 1, deltaF0: 40, stakers: [{ key: BOB.key, rolls: 100n }] }
const FINAL = Buffer.from('0a020802', 'hex')
/** More blocks than a node keeps for a stream and than fit on the way to it. */
const MANY_SLOTS = 30 * THREAD_COUNT
const LIMIT_BYTES = 52_428_800

describe('devnet/node/grpc: clients that misbehave', () => {
  let node: GrpcNode
  const callers: GrpcCaller[] = []
  const sockets: Socket[] = []

  beforeEach(async () => {
    node = await openGrpcNode(QUICK, { enableBroadcast: true })
  })

  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    await node.close()
  })

  function newCaller(): GrpcCaller {
    const caller = new GrpcCaller(node.server.url)
    callers.push(caller)
    return caller
  }

  async function open(caller: GrpcCaller, rpc: string, request?: Uint8Array): Promise<ClientReadableStream<Buffer>> {
    const stream = caller.open(rpc, request)
    stream.on('error', () => {})
    await once(stream, 'metadata')
    return stream
  }

  /** A reader that keeps up, told of every slot; it makes time pass in steps that it can follow. */
  async function followFinals(slots: number): Promise<void> {
    const messages: Buffer[] = []
    const stream = await open(node.caller, 'NewSlotExecutionOutputsServer', FINAL)
    stream.on('data', (message: Buffer) => messages.push(message))
    for (let left = slots; left > 0; left -= THREAD_COUNT) {
      await pass(node.chain, THREAD_COUNT)
      await node.caller.call('GetStatus')
    }
    await node.caller.settle(() => messages.length)
    stream.cancel()
    const indices = messages.map(readIndex)
    assert.deepEqual(
      indices,
      indices.map((_, i) => (indices[0] ?? 0) + i),
    )
    assert.equal(indices.at(-1), slotIndex(node.chain.finalSlot))
  }

  it('a stream that is never read loses its oldest messages, and nobody else notices', async function () {
    this.timeout(60_000)
    // On connections of their own: unread bytes of one stream hold up the others of a connection.
    const stalled = newCaller()
    const filled = await open(stalled, 'NewFilledBlocksServer')
    const blocks = await open(newCaller(), 'NewBlocksServer')
    await open(newCaller(), 'NewSlotExecutionOutputsServer')
    // The one stream that a node ends then.
    const lost = new Promise<ServiceError>((resolve) => blocks.once('error', (error) => resolve(error as ServiceError)))
    const ids = new Set<string>()
    node.chain.onBlockReceived(({ id }) => ids.add(id))
    await followFinals(MANY_SLOTS)
    assert.equal(ids.size, MANY_SLOTS)
    const { code, details } = await lost
    assert.equal(code, status.DATA_LOSS)
    assert.match(details, /^error on receive new block: channel lagged by \d+$/)
    let read = 0
    filled.on('data', () => read++)
    await stalled.settle(() => read)
    assert(read >= 128 && read < MANY_SLOTS, `${read} of ${MANY_SLOTS}`)
    await pass(node.chain, 3)
    const before = read
    await stalled.settle(() => read)
    assert.equal(read - before, 3)
  })

  it('200 clients get every message, and are forgotten when they go', async function () {
    this.timeout(60_000)
    const clients = Array.from({ length: 200 }, newCaller)
    const counts = clients.map(() => 0)
    const streams = await Promise.all(
      clients.map(async (caller, i) => {
        const stream = await open(caller, 'NewFilledBlocksServer')
        stream.on('data', () => {
          counts[i] = (counts[i] ?? 0) + 1
        })
        return stream
      }),
    )
    assert.equal(node.server.streamCount, 200)
    await pass(node.chain, 20)
    const total = () => counts.reduce((sum, count) => sum + count, 0)
    await node.caller.settle(total)
    while (total() < 200 * 20) await node.caller.call('GetStatus')
    assert.deepEqual(new Set(counts), new Set([20]))
    for (const stream of streams.slice(100)) stream.cancel()
    for (const caller of clients.slice(0, 100)) caller.close()
    for (const stream of streams.slice(0, 100)) stream.cancel()
    while (node.server.streamCount > 0) await node.caller.call('GetStatus')
    await followFinals(2 * THREAD_COUNT)
  })

  it('limit: a request of 50 MiB is read, one byte more refused as a node refuses it', async function () {
    this.timeout(60_000)
    const sender = newCaller()
    const reading = followFinals(2 * THREAD_COUNT)
    const atLimit = await sender.refusal('GetBlocks', new Uint8Array(LIMIT_BYTES))
    assert.deepEqual(atLimit, {
      code: status.INTERNAL,
      details: 'failed to decode Protobuf message: invalid tag value: 0',
    })
    for (const size of [LIMIT_BYTES + 1, 60_000_000]) {
      assert.deepEqual(await sender.refusal('GetBlocks', new Uint8Array(size)), {
        code: status.OUT_OF_RANGE,
        details: `Error, decoded message length too large: found ${size} bytes, the limit is: ${LIMIT_BYTES} bytes`,
      })
    }
    await reading
  })

  it('a message of 60 MB in a conversation ends it, and none but it', async function () {
    this.timeout(60_000)
    const stream = newCaller().converse('SendOperations')
    const failed = new Promise<ServiceError>((resolve) =>
      stream.once('error', (error) => resolve(error as ServiceError)),
    )
    stream.resume()
    stream.write(Buffer.alloc(60_000_000))
    assert.equal((await failed).code, status.OUT_OF_RANGE)
    await followFinals(2 * THREAD_COUNT)
    while (node.server.streamCount > 0) await node.caller.call('GetStatus')
  })

  it('garbage, half a handshake, another protocol and silence on the port: others notice nothing', async () => {
    const reading = followFinals(4 * THREAD_COUNT)
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    const hello = Buffer.from('16030100c8010000c40303', 'hex')
    for (const bytes of [
      Buffer.alloc(10_000, 0xff),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      hello,
      Buffer.from(preface.slice(0, 10)),
      Buffer.from(`${preface}garbage after it, of more than nine bytes`),
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"get_status"}'),
      Buffer.alloc(0),
    ]) {
      const socket = connect(node.server.port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {})
      socket.resume()
      await once(socket, 'connect')
      socket.write(bytes)
    }
    send(node.chain, ALICE, transfer(1n))
    await reading
    assert((await newCaller().call('GetStatus')).length > 100)
  })
})

function readIndex(message: Uint8Array): number {
  const slot = NewSlotExecutionOutputsResponseCodec.decode(message).output?.executionOutput?.slot
  return slotIndex(slotFromProtobuf(slot))
}
