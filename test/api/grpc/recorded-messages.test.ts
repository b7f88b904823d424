import assert from 'node:assert/strict'
import type { ServiceError } from '@grpc/grpc-js'
import {
  EXECUTION_STATUS_FINAL,
  GetBlocksResponseCodec,
  GetOperationsResponseCodec,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  type Period,
  RawFilledBlockCodec,
  SecureHashCodec,
  slotFromProtobuf,
  slotIndex,
  THREAD_COUNT,
} from '../../../core/index.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { HistoryReader, LevelChunkStore } from '../../../storage-worker/index.ts'
import { readWireFields } from '../../../telemetry/grpc/wire.ts'
import { RECORDINGS } from '../../devnet/fixture.ts'
import { readCases } from '../../devnet/node/grpc/message-shape.ts'
import { type RecordedPeriods, readRecordedPeriods } from '../../recorded-periods.ts'
import { openMemoryLevel } from '../../storage-worker/temp-store.ts'
import { decode, encode, type GrpcArchive, openGrpcArchive, rangeOf, readStream } from './grpc-archive.ts'

/** Of the node, as sandbox-grpc has them: texts that do not depend on what a node has, and answers about nothing. */
const CALLS = new Set(['GetBlocks', 'GetOperations', 'SearchBlocks'])
const ABOUT_NOTHING = [
  'search: future',
  'search: disjoint ranges',
  'search: thread 32',
  'blocks: unknown',
  'operations: unknown',
]
/** MAIN.3.0 answered these; the limit came later. */
const LATER = {
  'blocks: 51': {
    code: 3,
    details: 'too many block ids received. Only a maximum of 50 block ids are accepted per request',
  },
}
/** An archive has nothing of these. */
const OF_THE_STATE = ['ledgerChanges', 'executedDenunciationsChanges']

describe('api/grpc: what a node was recorded to say', () => {
  let recorded: RecordedPeriods
  let archive: GrpcArchive
  let first: Period
  let last: Period

  before(async function () {
    this.timeout(60_000)
    recorded = await readRecordedPeriods(RECORDINGS.push)
    const { identity, periods } = recorded
    const store = new LevelChunkStore(identity, {
      bodies: await openMemoryLevel('bodies'),
      index: await openMemoryLevel('index'),
    })
    for (const period of periods) await store.writePeriod(period)
    const index = new HistoryIndex(await openMemoryLevel('history'))
    await new HistorySync({ store, index }).compare()
    archive = await openGrpcArchive({ history: new HistoryReader({ store, index }), network: identity.network })
    first = periods[0]?.manifest.period ?? assert.fail('nothing is archived')
    last = first + periods.length - 1
  })
  after(() => archive.close())

  const ofStream = (name: string) => recorded.recording.streamed.filter(({ stream }) => stream === name)
  const everything = () => rangeOf([first, 0], [last + 1, 0])

  it('filled blocks are streamed from a past slot on byte for byte as the node streamed them, in the order of slots', async () => {
    const ofNode = new Map(
      ofStream('NewFilledBlocksServer').map(({ message }) => [readBlockId(message), Buffer.from(message)]),
    )
    const request = encode('NewBlocksRequest', { filters: [everything()] })
    const streamed = await readStream(archive.caller.open('NewFilledBlocksServer', request))
    const both = streamed.filter((message) => ofNode.has(readBlockId(message)))
    assert(both.length > 200)
    for (const message of both) assert.deepEqual(message, ofNode.get(readBlockId(message)))
    const finals = [...recorded.recording.finals]
      .filter(([index, id]) => id && index >= first * THREAD_COUNT && index < (last + 1) * THREAD_COUNT)
      .sort(([a], [b]) => a - b)
    assert.deepEqual(
      streamed.map(readBlockId),
      finals.map(([, id]) => id),
    )
  })

  it('execution outputs have what the node streamed of each slot, but for changes of the state', async () => {
    const request = encode('NewSlotExecutionOutputsRequest', { filters: [everything()] })
    const streamed = await readStream(archive.caller.open('NewSlotExecutionOutputsServer', request))
    const indices = streamed.map(readIndex)
    assert.deepEqual(
      indices,
      Array.from({ length: (last - first + 1) * THREAD_COUNT }, (_, i) => first * THREAD_COUNT + i),
    )
    const ours = new Map(streamed.map((message) => [readIndex(message), readOutput(message)]))
    let operations = 0
    for (const { message } of ofStream('NewSlotExecutionOutputsServer')) {
      if (!isFinal(message) || !ours.has(readIndex(message))) continue
      const ofNode = readOutput(message)
      assert.deepEqual(ours.get(readIndex(message)), ofNode)
      operations += ofNode.stateChanges.executedOpsChanges?.length ?? 0
    }
    assert(operations > 5)
  })

  it('blocks and operations by id are byte for byte what the node gave', async () => {
    const { blocks, operations, finals } = recorded.recording
    const blockIds = [...finals.values()].flatMap((id) => id ?? []).slice(0, 50)
    const request = encode('GetBlocksRequest', { blockIds })
    const { wrappedBlocks } = GetBlocksResponseCodec.decode(await archive.caller.call('GetBlocks', request))
    assert.equal(wrappedBlocks?.length, 50)
    for (const [i, { status, block }] of wrappedBlocks.entries()) {
      const ofNode = blocks.get(blockIds[i] ?? '')
      assert.equal(status, 2)
      assert.deepEqual(Buffer.from(block?.header ?? []), Buffer.from(ofNode?.headerMessage ?? []))
      assert.deepEqual(block?.operations, ofNode?.operationIds)
    }
    const archived = [...blocks.values()].filter(
      ({ slotIndex: index, isFinal }) => isFinal && index < (last + 1) * THREAD_COUNT,
    )
    const operationIds = [...new Set(archived.flatMap(({ operationIds }) => operationIds))].slice(0, 250)
    const answer = await archive.caller.call('GetOperations', encode('GetOperationsRequest', { operationIds }))
    const { wrappedOperations } = GetOperationsResponseCodec.decode(answer)
    assert(operationIds.length > 5)
    assert.deepEqual(
      wrappedOperations?.map(({ operation }) => Buffer.from(operation ?? []).toString('hex')),
      operationIds.map((id) => Buffer.from(operations.get(id) ?? []).toString('hex')),
    )
  })

  for (const { case: name, rpc, request, error, response } of readCases().filter((one) => CALLS.has(one.rpc))) {
    const expected = name in LATER ? LATER[name as keyof typeof LATER] : error
    if (!expected && !ABOUT_NOTHING.includes(name)) continue
    it(`${expected ? 'error: ' : ''}${name}: as the node`, async () => {
      const answer = await archive.caller
        .call(rpc, Buffer.from(request, 'base64'))
        .catch((refusal: ServiceError) => refusal)
      if (answer instanceof Error) assert.deepEqual({ code: answer.code, details: answer.details }, expected)
      else assert.deepEqual([answer.toString('base64'), expected], [response, undefined])
    })
  }
})

function readBlockId(message: Uint8Array): string {
  const filled = NewFilledBlocksResponseCodec.decode(message).filledBlock ?? new Uint8Array(0)
  const header = RawFilledBlockCodec.decode(filled).header ?? new Uint8Array(0)
  return SecureHashCodec.decode(header).secureHash ?? ''
}

function isFinal(message: Uint8Array): boolean {
  return NewSlotExecutionOutputsResponseCodec.decode(message).output?.status === EXECUTION_STATUS_FINAL
}

function readIndex(message: Uint8Array): number {
  const { output } = NewSlotExecutionOutputsResponseCodec.decode(message)
  return slotIndex(slotFromProtobuf(output?.executionOutput?.slot))
}

interface Output {
  readonly stateChanges: Record<string, unknown> & { executedOpsChanges?: { readonly operationId: string }[] }
}

/** Nodes give executed operations in no order. */
function readOutput(message: Uint8Array): Output {
  const [field] = readWireFields(message)
  const { executionOutput, status } = decode('SlotExecutionOutput', field?.payload ?? new Uint8Array(0))
  const output = { status, ...(executionOutput as Output) }
  for (const part of OF_THE_STATE) delete output.stateChanges[part]
  output.stateChanges.executedOpsChanges?.sort((a, b) => (a.operationId < b.operationId ? -1 : 1))
  return output
}
