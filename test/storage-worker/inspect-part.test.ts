import assert from 'node:assert/strict'
import { attestExecutions } from '../../archiver/attestation.ts'
import { type ArchivedPeriod, concatBytes, formatChunkId, formatOperationId, parseBody } from '../../core/index.ts'
import {
  inspectBlock,
  inspectChunk,
  inspectOperation,
  inspectPeriod,
  LevelChunkStore,
  listChunks,
  planRetention,
} from '../../storage-worker/index.ts'
import { ChunkCount } from '../../storage-worker/peers/chunk-count.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel } from './temp-store.ts'

const COUNT = makePeriod(4).chunks.length

function make(number: number): ArchivedPeriod {
  const executionResults = attestExecutions(new Map(), { network: TEST_IDENTITY.network, period: number }, undefined)
  return { ...makePeriod(number), executionResults }
}

describe('storage-worker/inspect: periods in part', () => {
  let store: LevelChunkStore
  beforeEach(async () => {
    store = new LevelChunkStore(TEST_IDENTITY, {
      bodies: await openMemoryLevel('bodies'),
      index: await openMemoryLevel('index'),
    })
    for (const number of [3, 4, 5]) await store.writePeriod(make(number))
    await store.dropChunks(4, [0])
  })

  it('shows which chunks are held, and the slots only where all are', async () => {
    const whole = (await inspectPeriod(store, 3)) as Inspected
    assert.deepEqual(whole.held, { chunks: COUNT, seals: true, executionResults: true })
    assert.ok(whole.chunks.every(({ held }) => held))
    assert.equal(whole.slots?.length, 32)
    const part = (await inspectPeriod(store, 4)) as Inspected
    assert.deepEqual(part.held, { chunks: COUNT - 1, seals: false, executionResults: true })
    assert.deepEqual(
      part.chunks.map(({ held }) => held),
      Array.from({ length: COUNT }, (_, index) => index > 0),
    )
    assert.equal(part.slots, undefined)
    const { bodyBytes, operations, blocks } = makePeriod(4).summary
    assert.deepEqual([part.bytes, part.operations, part.blocks], [bodyBytes, operations, blocks])
  })

  it('shows slots of a period of which only signatures are not held', async () => {
    const { manifest, chunks } = makePeriod(4)
    await store.writePart({ manifest, operations: 0, chunks: new Map([[0, chunks[0] ?? new Uint8Array(0)]]) })
    const part = (await inspectPeriod(store, 4)) as Inspected
    assert.deepEqual(part.held, { chunks: COUNT, seals: false, executionResults: true })
    assert.equal(part.slots?.length, 32)
    const found = (await inspectBlock(store, makeBlock({ period: 4, thread: 1 }).id)) as { signature?: string }
    assert.equal(found.signature, undefined)
  })

  it('looks for blocks and operations where all chunks are held, and says which periods it passed over', async () => {
    const passed: number[] = []
    const watch = { onPassedOver: (period: number) => passed.push(period) }
    const inPart = makeBlock({ period: 4, thread: 1 })
    assert.equal(await inspectBlock(store, inPart.id, watch), undefined)
    assert.deepEqual(passed, [4])
    assert.ok(await inspectBlock(store, makeBlock({ period: 3, thread: 1 }).id, watch))
    const [operation] = operationsOf(3)
    assert.ok(operation && (await inspectOperation(store, operation, watch)))
    const [other] = operationsOf(4)
    assert.equal(other && (await inspectOperation(store, other, watch)), undefined)
    assert.deepEqual(passed, [4, 4, 4, 4])
  })

  it('lists, finds and counts the chunks that are held', async () => {
    const rows = []
    for await (const row of listChunks(store, { from: 0, to: 9, prefixHex: '' }))
      rows.push(`${row.period} ${row.index}`)
    const all = [3, 4, 5].flatMap((period) => Array.from({ length: COUNT }, (_, index) => `${period} ${index}`))
    assert.deepEqual(
      rows,
      all.filter((row) => row !== '4 0'),
    )
    const [dropped, held] = makePeriod(4).manifest.chunks.map(({ chunkId }) => formatChunkId(chunkId))
    assert.equal(dropped && (await inspectChunk(store, dropped)), undefined)
    assert.ok(held && (await inspectChunk(store, held)))
    const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => undefined }
    assert.equal(await new ChunkCount(store, clock).read(), 3 * COUNT - 1)
  })

  it('says of a deletion how many bytes are here', async () => {
    for (let number = 6; number < 40; number++) await store.writePeriod(make(number))
    const plan = await planRetention(store, 1)
    assert.deepEqual([plan?.from, plan?.to], [3, 15])
    const bytes = (number: number) => makePeriod(number).summary.bodyBytes
    const whole = Array.from({ length: 13 }, (_, i) => bytes(3 + i)).reduce((sum, each) => sum + each, 0)
    assert.equal(plan?.bodyBytes, whole - (makePeriod(4).chunks[0]?.length ?? 0))
  })
})

interface Inspected {
  readonly bytes: number
  readonly operations: number
  readonly blocks: number
  readonly held: object
  readonly chunks: readonly { readonly held: boolean }[]
  readonly slots?: readonly object[]
}

function operationsOf(number: number): string[] {
  const body = parseBody(concatBytes(...makePeriod(number).chunks))
  return body.slots.flatMap((slot) => (slot.kind === 'block' ? slot.record.operationIds.map(formatOperationId) : []))
}
