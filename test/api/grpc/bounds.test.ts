import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { type ServiceError, status } from '@grpc/grpc-js'
import type { History } from '../../../api/json-rpc/archive-context.ts'
import { encodeOperationContent } from '../../../core/index.ts'
import { makeKey } from '../../../devnet/index.ts'
import type { HistoryOperation } from '../../../storage-worker/index.ts'
import type { ServiceBounds } from '../../../telemetry/grpc/service-bounds.ts'
import type { GrpcCaller } from '../../devnet/grpc-caller.ts'
import { encode, type GrpcArchive, openGrpcArchive, rangeOf } from './grpc-archive.ts'
import { makeHistory, NETWORK, QUIET } from './stub-history.ts'

const OPERATION = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
const BLOCK = 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW'
const OUTPUTS = 'NewSlotExecutionOutputsServer'
const MIB = 1024 * 1024
const ROOMY: ServiceBounds = { calls: 1_000, requestBytes: MIB, answerBytes: 256 * MIB, unreadMs: 600_000 }
const SOON_MS = 50

describe('api/grpc: bounds', () => {
  let archive: GrpcArchive
  const sessions: ClientHttp2Session[] = []

  async function open(own: Partial<History> = {}, bounds?: Partial<ServiceBounds>): Promise<void> {
    const history = makeHistory({ first: 0, last: 9_999 }, own)
    archive = await openGrpcArchive({ history, network: NETWORK }, bounds && { ...ROOMY, ...bounds })
  }

  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy()
    await archive.close()
  })

  /** A client that takes nothing of what it asks for. */
  function askUnread(rpc: string, request: Uint8Array) {
    const session = connect(`http://${archive.url}`)
    sessions.push(session)
    const stream = session.request({
      ...{ [constants.HTTP2_HEADER_METHOD]: 'POST' },
      ...{ [constants.HTTP2_HEADER_PATH]: `/massa.api.v1.PublicService/${rpc}` },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    })
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(request.length, 1)
    stream.end(Buffer.concat([prefix, request]))
    return stream
  }

  const refusal = (rpc: string, type: string, message: object) => archive.caller.refusal(rpc, encode(type, message))
  const ofOperations = (count: number) => encode('GetOperationsRequest', { operationIds: Array(count).fill(OPERATION) })
  const ofSlots = (from: number) => encode('NewSlotExecutionOutputsRequest', { filters: [rangeOf([from, 0])] })

  it('limit: a search of 64 archived periods, and no more; what is outside of the archive does not count', async () => {
    await open()
    const search = (from: number, to: number) =>
      archive.caller.call('SearchBlocks', encode('SearchBlocksRequest', { filters: [rangeOf([from, 0], [to, 0])] }))
    assert.equal((await search(0, 64)).length, 0)
    assert.equal((await search(9_990, 20_000)).length, 0)
    const details = 'the slots are of 65 archived periods, of which an answer takes at most 64: ask in parts'
    await assert.rejects(search(0, 65), { code: status.INVALID_ARGUMENT, details })
    const byCreator = { addresses: { addresses: ['AU1NQmBA9yg9T45RKtqpCyfk3bBuKxAWi8pz9huMqjRU22Y2y2ji'] } }
    const { code } = await refusal('SearchBlocks', 'SearchBlocksRequest', { filters: [byCreator] })
    assert.equal(code, status.INVALID_ARGUMENT)
  })

  it('limit: a request of 1 MiB; a longer one is refused by its length in the words of a node', async () => {
    await open()
    const padded = (bytes: number) =>
      Buffer.concat([Buffer.from([0x7a, ...varint(bytes - 4)]), Buffer.alloc(bytes - 4)])
    assert((await archive.caller.call('GetStatus', padded(MIB))).length > 0)
    const details = `Error, decoded message length too large: found ${MIB + 1} bytes, the limit is: ${MIB} bytes`
    assert.deepEqual(await archive.caller.refusal('GetStatus', padded(MIB + 1)), { code: status.OUT_OF_RANGE, details })
  })

  it("limit: an answer of 50 MiB, as a node's; a longer one is refused with its length", async () => {
    const large = makeOperation(9 * MIB)
    await open({ findOperation: async () => large })
    const { code, details } = await archive.caller.refusal('GetOperations', ofOperations(6))
    assert.equal(code, status.OUT_OF_RANGE)
    assert.match(
      details,
      /^Error, encoded message length too large: found 566\d{5} bytes, the limit is: 52428800 bytes$/,
    )
  })

  it('limit: 64 streams; one that ends makes room', async () => {
    await open()
    const streams = Array.from({ length: 64 }, () => archive.caller.open(OUTPUTS))
    for (const stream of streams) stream.on('error', () => {})
    await Promise.all(streams.map((stream) => once(stream, 'metadata')))
    const refused = await archive.caller.refusal(OUTPUTS, new Uint8Array(0))
    assert.deepEqual(refused, { code: status.RESOURCE_EXHAUSTED, details: '64 streams are open: try again later' })
    await leave(streams[0])
    // On the same connection behind it.
    await archive.caller.call('GetStatus')
    await once(
      archive.caller.open(OUTPUTS).on('error', () => {}),
      'metadata',
    )
  })

  it('limit: calls that are open at a time; those beyond are refused before they are read', async () => {
    await open({}, { calls: 2 })
    const streams = [archive.caller.open(OUTPUTS), archive.caller.open(OUTPUTS)]
    for (const stream of streams) stream.on('error', () => {})
    await Promise.all(streams.map((stream) => once(stream, 'metadata')))
    const details = '2 calls are open: try again later'
    const refused = await archive.caller.refusal('GetStatus', new Uint8Array(0))
    assert.deepEqual(refused, { code: status.RESOURCE_EXHAUSTED, details })
    assert.equal(await codeOf(askUnread('GetStatus', Buffer.alloc(5))), status.RESOURCE_EXHAUSTED)
    await leave(streams[0])
    await archive.caller.call('GetStatus')
  })

  it('limit: four calls read at a time', async () => {
    let reading = 0
    let most = 0
    const findBlock = async () => {
      most = Math.max(most, ++reading)
      // Refused at once, behind all calls on the same connection.
      await archive.caller.refusal('GetSlotTransfers', new Uint8Array(0))
      reading--
      return undefined
    }
    await open({ findBlock })
    const ask = () => archive.caller.call('GetBlocks', encode('GetBlocksRequest', { blockIds: [BLOCK] }))
    await Promise.all(Array.from({ length: 20 }, ask))
    assert.equal(most, 4)
  })

  it('a stream that nobody reads stops reading the archive, and is closed', async () => {
    let read = 0
    const event = { indexInSlot: 0, callStack: [], operationId: '', failed: false, data: new Uint8Array(64 * 1024) }
    const readExecution = async () => {
      read++
      return { ...QUIET, events: [event] }
    }
    await open({ readExecution }, { unreadMs: SOON_MS })
    const stream = askUnread(OUTPUTS, ofSlots(0))
    await once(stream, 'close')
    // 256 KiB are on their way to a client, and one message more.
    assert(read <= 8, `${read} slots were read`)
  })

  it('a slow reader gets everything', async () => {
    const event = { indexInSlot: 0, callStack: [], operationId: '', failed: false, data: new Uint8Array(64 * 1024) }
    await open({ readExecution: async () => ({ ...QUIET, events: [event] }) })
    const request = encode('NewSlotExecutionOutputsRequest', { filters: [rangeOf([0, 0], [1, 0])] })
    const stream = archive.caller.open(OUTPUTS, request)
    let count = 0
    for await (const _message of stream) {
      count++
      await archive.caller.call('GetStatus')
    }
    assert.equal(count, 32)
  })

  it('an answer that nobody reads is let go of, and what it took is free again', async () => {
    const large = makeOperation(100_000)
    await open({ findOperation: async () => large }, { unreadMs: SOON_MS, answerBytes: 150_000 })
    const unread = askUnread('GetOperations', ofOperations(1))
    await once(unread, 'response')
    const details = 'too much is on its way to clients: try again later'
    const refused = await archive.caller.refusal('GetOperations', ofOperations(1))
    assert.deepEqual(refused, { code: status.RESOURCE_EXHAUSTED, details })
    await once(unread, 'close')
    await archive.caller.call('GetOperations', ofOperations(1))
  })

  it('nothing is read any more for a client that is gone', async () => {
    let read = 0
    let begun: () => void = () => {}
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const findOperation = async () => {
      read++
      begun()
      await archive.caller.call('GetStatus')
      return undefined
    }
    await open({ findOperation })
    const asked = askUnread('GetOperations', ofOperations(250))
    await hasBegun
    asked.close(constants.NGHTTP2_CANCEL)
    await once(asked, 'close')
    await archive.caller.settle(() => read)
    assert(read < 250)
  })

  it('error: what is no history, with a sentence; what a node must be built for, as a node says it', async () => {
    await open()
    const unimplemented = (details: string) => ({ code: status.UNIMPLEMENTED, details })
    const answered =
      'this is an archive of final history, which answers GetBlocks, GetOperations, SearchBlocks, GetStatus, NewBlocks, NewBlocksServer, NewFilledBlocks, NewFilledBlocksServer, NewSlotExecutionOutputs, NewSlotExecutionOutputsServer'
    for (const rpc of ['GetStakers', 'QueryState', 'NewOperationsServer', 'TransactionsThroughputServer']) {
      const refused = await archive.caller.refusal(rpc, new Uint8Array(0))
      assert.deepEqual(refused, unimplemented(`${rpc} is not answered here: ${answered}`))
    }
    const sending = archive.caller.converse('SendOperations').on('error', () => {})
    const { code, details } = await new Promise<ServiceError>((resolve) => sending.on('status', resolve))
    assert.deepEqual({ code, details }, unimplemented(`SendOperations is not answered here: ${answered}`))
    const feature = await archive.caller.refusal('GetSlotTransfers', new Uint8Array(0))
    assert.deepEqual(feature, unimplemented('feature not enabled'))
    assert.equal((await archive.caller.refusal('GetNothing', new Uint8Array(0))).code, status.UNIMPLEMENTED)
  })

  it('error: a port that somebody has', async () => {
    await open()
    const { startArchiveGrpc } = await import('../../../api/index.ts')
    const port = Number(archive.url.split(':')[1])
    const modules = {
      history: makeHistory({ first: 0, last: 0 }),
      identity: {} as never,
      nowMs: () => 0,
      sleep: async () => {},
    }
    await assert.rejects(startArchiveGrpc(modules, { host: '127.0.0.1', port }), { code: 'API_BIND_FAILED' })
  })
})

/** With so many bytes of bytecode. */
function makeOperation(bytes: number): HistoryOperation {
  const key = makeKey('large')
  const content = encodeOperationContent({
    feeNanoMas: 0n,
    expirePeriod: 1n,
    body: { kind: 'execute-sc', maxGas: 1n, maxCoinsNanoMas: 0n, bytecode: new Uint8Array(bytes), datastore: [] },
  })
  const id = new Uint8Array(33)
  const inclusions = [{ slot: { period: 1, thread: 0 }, blockId: new Uint8Array(33), index: 0 }]
  return {
    operation: { id, publicKey: key.publicKey, content, reproducible: true },
    signature: new Uint8Array(64),
    inclusions,
  }
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

async function codeOf(stream: ReturnType<ClientHttp2Session['request']>): Promise<number> {
  const [headers] = (await once(stream, 'response')) as [Record<string, string>]
  return Number(headers['grpc-status'])
}

async function leave(stream: ReturnType<GrpcCaller['open']> | undefined): Promise<void> {
  const left = new Promise((resolve) => stream?.on('status', resolve))
  stream?.cancel()
  await left
}
