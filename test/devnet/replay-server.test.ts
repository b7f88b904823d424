import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import {
  formatOperationId,
  GetBlocksRequestCodec,
  GetBlocksResponseCodec,
  GetOperationsRequestCodec,
  GetScExecutionEventsRequestCodec,
  GetScExecutionEventsResponseCodec,
  GetStatusResponseCodec,
  NewSlotExecutionOutputsRequestCodec,
  NewSlotExecutionOutputsResponseCodec,
  QueryStateRequestCodec,
  QueryStateResponseCodec,
  SearchBlocksRequestCodec,
  SearchBlocksResponseCodec,
  SignedBlockHeaderCodec,
  slotFromProtobuf,
  slotIndex,
  slotToProtobuf,
} from '../../core/index.ts'
import { type Recording, type ReplayServer, readRecording, startReplayServer } from '../../devnet/index.ts'
import { encodeWireField } from '../../telemetry/grpc/wire.ts'
import { RECORDINGS } from './fixture.ts'
import { GrpcCaller, readMessages } from './grpc-caller.ts'

interface RecordedCall {
  rpc?: string
  request?: string
  response?: string
}

describe('devnet/replay/replay-server', () => {
  const stops: (() => Promise<void> | void)[] = []

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })

  async function replay(options: Parameters<typeof startReplayServer>[0]): Promise<[GrpcCaller, ReplayServer]> {
    const server = await startReplayServer(options)
    const caller = new GrpcCaller(server.url)
    stops.push(
      () => server.stop(),
      () => caller.close(),
    )
    return [caller, server]
  }

  /** A replay that stands at the end of the recording and has forgotten nothing. */
  async function replayAtHead(path: string): Promise<[GrpcCaller, Recording]> {
    const recording = await readRecording(path)
    const [caller, server] = await replay({ recording, fast: true, keepAll: true, consumerPeriod: () => 1e6 })
    await caller.call('GetStatus')
    await server.atHead
    return [caller, recording]
  }

  async function recordedCalls(path: string, rpc: string): Promise<{ request: Buffer; response: Buffer }[]> {
    const lines = gunzipSync(await readFile(path))
      .toString()
      .split('\n')
      .filter(Boolean)
    return lines
      .map((line) => JSON.parse(line) as RecordedCall)
      .filter((call) => call.rpc === rpc && call.response !== undefined)
      .map((call) => ({
        request: Buffer.from(call.request ?? '', 'base64'),
        response: Buffer.from(call.response ?? '', 'base64'),
      }))
  }

  it('answers GetBlocks and GetOperations byte for byte as the recorded node', async () => {
    let compared = 0
    for (const path of [RECORDINGS.pull, RECORDINGS.replayed]) {
      const [caller] = await replayAtHead(path)
      for (const rpc of ['GetBlocks', 'GetOperations']) {
        for (const { request, response } of await recordedCalls(path, rpc)) {
          assert.ok(response.equals(await caller.call(rpc, request)), `${rpc} differs`)
          compared++
        }
      }
    }
    assert.ok(compared > 30, `${compared} compared`)
  })

  it('answers SearchBlocks with the blocks that the recorded node called final', async () => {
    const [caller] = await replayAtHead(RECORDINGS.pull)
    const sortedParts = (bytes: Buffer) => bytes.toString('latin1').split('\n').sort()
    for (const { request, response } of await recordedCalls(RECORDINGS.pull, 'SearchBlocks')) {
      assert.deepEqual(sortedParts(await caller.call('SearchBlocks', request)), sortedParts(response))
    }
  })

  it('streams every recorded message to a client that is there from the start, then stands still', async () => {
    const recording = await readRecording(RECORDINGS.push)
    let heads = 0
    const [caller, server] = await replay({
      recording,
      fast: true,
      consumerPeriod: () => 1e6,
      onHead: () => {
        heads++
      },
    })
    const request = NewSlotExecutionOutputsRequestCodec.encode({ filters: [{ status: 2 }] })
    const outputs = caller.open('NewSlotExecutionOutputsServer', request)
    outputs.on('error', () => {})
    const wanted = recording.streamed.filter((message) => message.stream === 'NewSlotExecutionOutputsServer')
    const slots: number[] = []
    for await (const message of outputs) {
      const { output } = NewSlotExecutionOutputsResponseCodec.decode(message)
      assert.ok(wanted[slots.length] && Buffer.from(wanted[slots.length]?.message ?? []).equals(message))
      slots.push(slotIndex(slotFromProtobuf(output?.executionOutput?.slot)))
      if (slots.length === wanted.length) break
    }
    assert.deepEqual(
      slots,
      Array.from({ length: 288 }, (_, i) => 32 + i),
    )
    await server.atHead
    assert.equal(heads, 1)
    assert.deepEqual(await caller.finalSlot(), { period: 9, thread: 31 })
    assert.deepEqual(server.headSlot, { period: 9, thread: 31 })
    assert.deepEqual(server.wholePeriods, { first: 1, last: 8, holes: [] })
  })

  it('opens streams that stay silent when the recorded node did not broadcast', async () => {
    const recording = await readRecording(RECORDINGS.pull)
    const [caller, server] = await replay({ recording, fast: true, consumerPeriod: () => 1e6 })
    const streams = ['NewFilledBlocksServer', 'NewSlotExecutionOutputsServer'].map((rpc) => caller.open(rpc))
    let messages = 0
    for (const stream of streams) {
      stream.on('error', () => {})
      stream.on('data', () => messages++)
    }
    await Promise.all(streams.map((stream) => once(stream, 'metadata')))
    await server.atHead
    await caller.call('GetStatus')
    assert.equal(messages, 0)
  })

  it('gives every final block of a fast replay to a client that only polls', async () => {
    const recording = await readRecording(RECORDINGS.pull)
    let lacking = 1
    const [caller] = await replay({ recording, fast: true, consumerPeriod: () => lacking, lagPeriods: 2 })
    const seen = new Set<string>()
    for (; lacking < 11; lacking++) {
      let final = await caller.finalSlot()
      while (final.period < lacking + 1) final = await caller.finalSlot()
      assert.ok(final.period <= lacking + 2, `final at ${final.period} while ${lacking} is lacking`)
      const found = await caller.search({ period: lacking, thread: 0 }, { period: lacking + 1, thread: 0 })
      for (const [id, blockStatus] of found) if (blockStatus === 2) seen.add(id)
    }
    const wanted = [...recording.blocks.values()].filter((block) => block.slotIndex >= 32 && block.slotIndex < 11 * 32)
    assert.deepEqual([...seen].sort(), wanted.map((block) => block.id).sort())
  })

  it('goes on after a while when its consumer is stuck', async () => {
    const recording = await readRecording(RECORDINGS.fork)
    const [caller, server] = await replay({ recording, fast: true, consumerPeriod: () => 1, stallMs: 1 })
    await caller.call('GetStatus')
    await server.atHead
    assert.deepEqual(await caller.finalSlot(), { period: 18, thread: 31 })
  })

  it('regression: goes on when a full stream drains while another is waited for', async () => {
    const recording = await readRecording(RECORDINGS.push)
    // All at one moment, after which both streams are full; the one with less to send is the first to drain.
    const atMs = recording.startMs + 1
    const blocksOnly = recording.streamed.filter((message) => message.stream === 'NewFilledBlocksServer')
    const fewOutputs = recording.streamed
      .filter((message) => message.stream === 'NewSlotExecutionOutputsServer')
      .slice(0, 32)
    const streamed = [...fewOutputs, ...blocksOnly].map((message) => ({ ...message, atMs }))
    let isOpen = false
    const [caller, server] = await replay({
      recording: { ...recording, streamed },
      fast: true,
      consumerPeriod: () => (isOpen ? 1e6 : -1e6),
      stallMs: 1e9,
    })
    const blocks = caller.open('NewFilledBlocksServer')
    blocks.on('error', () => {})
    await once(blocks, 'metadata')
    const outputs = caller.open('NewSlotExecutionOutputsServer')
    outputs.on('error', () => {})
    await once(outputs, 'metadata')
    isOpen = true
    await readMessages(outputs, fewOutputs.length)
    blocks.resume()
    await server.atHead
    assert.deepEqual(await caller.finalSlot(), { period: 9, thread: 31 })
  })

  it('forgets a final block 96 s after its finality', async () => {
    const recording = await readRecording(RECORDINGS.push)
    const [caller, server] = await replay({ recording, fast: true, consumerPeriod: () => 1e6 })
    await caller.call('GetStatus')
    await server.atHead
    const final = [...recording.blocks.values()].filter((block) => block.isFinal)
    const isYoung = (settledAtMs: number | undefined) => (settledAtMs ?? 0) + 96_000 > recording.endMs
    const held = [...(await caller.search({ period: 0, thread: 0 }, { period: 1000, thread: 0 })).keys()]
    assert.deepEqual(
      held.sort(),
      final
        .filter((b) => isYoung(b.settledAtMs))
        .map((b) => b.id)
        .sort(),
    )
    const old = final.find((block) => !isYoung(block.settledAtMs))
    assert.equal(await caller.countBlocks([old?.id ?? '']), 0)
  })

  it('calls the losing block of a slot discarded, once the slot is decided', async () => {
    const [caller, recording] = await replayAtHead(RECORDINGS.fork)
    const found = await caller.search({ period: 16, thread: 15 }, { period: 16, thread: 16 })
    assert.equal(found.size, 2)
    for (const [id, blockStatus] of found) assert.equal(blockStatus, recording.blocks.get(id)?.isFinal ? 2 : 4)
  })

  it('tells the outcome of executed operations, and of unknown ones that it is unknown', async () => {
    const [caller, recording] = await replayAtHead(RECORDINGS.push)
    const known = [...recording.executed].filter(([, executed]) => executed.validUntilPeriod >= 9).slice(-50)
    assert.ok(known.length > 0)
    const ids = [...known.map(([id]) => id), formatOperationId(new Uint8Array(33))]
    const queries = ids.map((operationId) => ({ opExecutionStatusFinal: { operationId } }))
    const answer = QueryStateResponseCodec.decode(
      await caller.call('QueryState', QueryStateRequestCodec.encode({ queries })),
    )
    assert.deepEqual(
      answer.responses?.map((response) => response.result?.executionStatus),
      [...known.map(([, executed]) => (executed.succeeded ? 1 : 2)), 3],
    )
  })

  it('lists the recorded events of a range of slots', async () => {
    const [caller, recording] = await replayAtHead(RECORDINGS.push)
    const filters = [
      {
        slotRange: {
          startSlot: slotToProtobuf({ period: 2, thread: 0 }),
          endSlot: slotToProtobuf({ period: 4, thread: 0 }),
        },
      },
    ]
    const answer = await caller.call('GetScExecutionEvents', GetScExecutionEventsRequestCodec.encode({ filters }))
    const { events = [] } = GetScExecutionEventsResponseCodec.decode(answer)
    const wanted = recording.events.filter((event) => event.slotIndex >= 64 && event.slotIndex < 128)
    assert.ok(wanted.length > 0)
    assert.equal(events.length, wanted.length)
    assert.deepEqual(slotFromProtobuf(events[0]?.context?.originSlot), { period: 2, thread: 5 })
  })

  it('moves time and the final slot with the speed it is given', async () => {
    const recording = await readRecording(RECORDINGS.push)
    const [caller, server] = await replay({ recording, speed: 1000 })
    const first = GetStatusResponseCodec.decode(await caller.call('GetStatus')).status
    assert.equal(first?.version, 'SAND.3.0')
    await server.atHead
    assert.deepEqual(await caller.finalSlot(), { period: 9, thread: 31 })
  })

  describe('limits and errors of the node', () => {
    const blockId = 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW'
    const operationId = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
    const blocks = (count: number) => GetBlocksRequestCodec.encode({ blockIds: Array(count).fill(blockId) })
    const operations = (count: number) =>
      GetOperationsRequestCodec.encode({ operationIds: Array(count).fill(operationId) })
    const ranges = (count: number, start: number, end: number) =>
      SearchBlocksRequestCodec.encode({
        filters: Array(count).fill({
          slotRange: {
            startSlot: slotToProtobuf({ period: start, thread: 0 }),
            endSlot: slotToProtobuf({ period: end, thread: 0 }),
          },
        }),
      })
    let caller: GrpcCaller

    beforeEach(async () => {
      caller = (await replayAtHead(RECORDINGS.fork))[0]
    })

    it('answers at the bounds, leaving unknown ids out', async () => {
      assert.equal((await caller.call('GetBlocks', blocks(50))).length, 0)
      assert.equal((await caller.call('GetOperations', operations(250))).length, 0)
      assert.ok((await caller.call('SearchBlocks', ranges(32, 16, 17))).length > 0)
      assert.equal((await caller.call('SearchBlocks', ranges(1, 500, 501))).length, 0)
    })

    for (const [what, rpc, request, details] of [
      ['no block id', 'GetBlocks', blocks(0), 'no block id provided'],
      ['51 block ids', 'GetBlocks', blocks(51), /too many block ids.*50/],
      [
        'a malformed block id',
        'GetBlocks',
        GetBlocksRequestCodec.encode({ blockIds: ['Bxyz'] }),
        'invalid block id: Bxyz',
      ],
      ['no operation id', 'GetOperations', operations(0), 'no operations ids specified'],
      [
        '251 operation ids',
        'GetOperations',
        operations(251),
        'too many operations received. Only a maximum of 250 operations are accepted per request',
      ],
      [
        'a malformed operation id',
        'GetOperations',
        GetOperationsRequestCodec.encode({ operationIds: ['O1'] }),
        'invalid operation id: O1',
      ],
      ['no filter', 'SearchBlocks', new Uint8Array(0), 'no filter provided'],
      [
        '33 filters',
        'SearchBlocks',
        ranges(33, 16, 17),
        'too many filters received. Only a maximum of 32 filters are accepted per request',
      ],
      [
        'an empty slot range',
        'SearchBlocks',
        ranges(1, 44, 44),
        'Invalid slot range: start slot (period: 44, thread: 0) is equal to end slot (period: 44, thread: 0)',
      ],
      [
        'a reversed slot range',
        'SearchBlocks',
        ranges(1, 44, 41),
        'Invalid slot range: start slot (period: 44, thread: 0) is greater than end slot (period: 41, thread: 0)',
      ],
      ['no query', 'QueryState', new Uint8Array(0), 'no query items specified'],
    ] as const) {
      it(`limit: refuses ${what}`, async () => {
        const refusal = await caller.refusal(rpc, request)
        assert.equal(refusal.code, status.INVALID_ARGUMENT)
        if (typeof details === 'string') assert.equal(refusal.details, details)
        else assert.match(refusal.details, details)
      })
    }

    it('error: bytes that are not protobuf get code 13', async () => {
      assert.equal((await caller.refusal('GetBlocks', Buffer.from('ffffffffff', 'hex'))).code, status.INTERNAL)
    })

    it('error: other calls, and other filters of events, are unimplemented', async () => {
      assert.equal((await caller.refusal('GetStakers', new Uint8Array(0))).code, status.UNIMPLEMENTED)
      const byFailure = Buffer.from('0a022801', 'hex')
      assert.equal((await caller.refusal('GetScExecutionEvents', byFailure)).code, status.UNIMPLEMENTED)
      const { code, details } = await caller.refusal('GetSlotTransfers', new Uint8Array(0))
      assert.deepEqual([code, details], [status.UNIMPLEMENTED, 'feature not enabled'])
    })

    it('blocks are found by id and by creator, too', async () => {
      const [first, second] = [...(await caller.search({ period: 16, thread: 0 }, { period: 17, thread: 0 })).keys()]
      const filter = (number: number, text = '') =>
        encodeWireField(1, encodeWireField(number, encodeWireField(1, Buffer.from(text))))
      const found = async (request: Uint8Array) =>
        (SearchBlocksResponseCodec.decode(await caller.call('SearchBlocks', request)).blockInfos ?? []).map(
          ({ blockId }) => blockId,
        )
      assert.deepEqual(await found(filter(1, first)), [first])
      const block = GetBlocksResponseCodec.decode(
        await caller.call('GetBlocks', GetBlocksRequestCodec.encode({ blockIds: [second ?? ''] })),
      ).wrappedBlocks?.[0]?.block?.header
      const creator = SignedBlockHeaderCodec.decode(block ?? new Uint8Array(0)).contentCreatorAddress
      assert((await found(filter(2, creator))).includes(second))
      assert.deepEqual(await found(Buffer.concat([filter(1, second), filter(2, creator)])), [second])
    })
  })

  it('error: a port that is taken is named', async () => {
    const recording = await readRecording(RECORDINGS.fork)
    const [, server] = await replay({ recording })
    await assert.rejects(startReplayServer({ recording, port: server.port }), { code: 'DEVNET_LISTEN_FAILED' })
  })
})
