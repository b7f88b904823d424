import assert from 'node:assert/strict'
import { formatBlockId, formatOperationId, isArchiveError, type Period, parseBody, toHex } from '../../core/index.ts'
import { inspectBlock, inspectChunk, inspectOperation, LevelChunkStore } from '../../storage-worker/index.ts'
import { EXECUTION_RESULTS, encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { summaryKey } from '../../storage-worker/period-index.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel } from './temp-store.ts'

const LAST = 6

describe('storage-worker/inspect', () => {
  let store: LevelChunkStore

  beforeEach(async () => {
    const levels = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
    store = new LevelChunkStore(TEST_IDENTITY, levels)
    for (let period = 0; period <= LAST; period++) {
      await store.writePeriod(makePeriod(period))
      // Those of synthetic periods are noise.
      await lose(period, EXECUTION_RESULTS)
    }
  })

  async function flip(period: Period, place: number): Promise<void> {
    const key = encodeBodyKey(period, place)
    const value = Uint8Array.from((await store.bodies.get(key)) ?? [])
    const middle = value.length >> 1
    value[middle] = (value[middle] ?? 0) ^ 0x10
    await store.bodies.write([{ type: 'put', key, value }], { sync: false })
  }

  async function lose(period: Period, place: number): Promise<void> {
    await store.bodies.write([{ type: 'del', key: encodeBodyKey(period, place) }], { sync: false })
  }

  /** The first block of a period and its first operation. */
  function idsOf(period: Period, archived = makePeriod(period)): { block: string; operation: string } {
    const slot = parseBody(Buffer.concat(archived.chunks)).slots.find(({ kind }) => kind === 'block')
    assert.ok(slot?.kind === 'block')
    const [operation] = slot.record.operationIds
    assert.ok(operation)
    return { block: formatBlockId(slot.record.id), operation: formatOperationId(operation) }
  }

  it('finds blocks and operations behind damaged periods, and names those', async () => {
    await flip(5, 0)
    await lose(4, 0)
    await flip(2, 0)
    const { block, operation } = idsOf(3)
    for (const found of [await inspectBlock(store, block), await inspectOperation(store, operation)]) {
      assert.ok(found && 'unreadablePeriods' in found)
      assert.deepEqual(found.unreadablePeriods, [5, 4])
    }
  })

  it('looks first where the index says that it stands, and through all periods where that is not so', async () => {
    const { block, operation } = idsOf(3)
    let searched = 0
    const onSearched = () => searched++
    for (const [likely, most] of [
      [[3], 0],
      [[5, 3], 0],
      // Another one, one that is not archived, one that cannot be read.
      [[1], 4],
      [[99], 4],
      [[4], 4],
    ] as const) {
      if (likely[0] === 4) await flip(4, 0)
      for (const inspect of [
        () => inspectBlock(store, block, { onSearched, likely }),
        () => inspectOperation(store, operation, { onSearched, likely }),
      ]) {
        searched = 0
        const { unreadablePeriods: _, ...found } = (await inspect()) as Record<string, unknown>
        assert.deepEqual([found.slot, searched], [{ period: 3, thread: 0 }, most], `${likely}`)
      }
    }
  })

  it('says of an operation that its id does not bind that not even its creator is proven', async () => {
    const unbound = makePeriod(LAST + 1, { isUnbound: true })
    await store.writePeriod(unbound)
    await lose(LAST + 1, EXECUTION_RESULTS)
    const read = async (id: string) => JSON.parse(JSON.stringify(await inspectOperation(store, id)))
    const lost = await read(idsOf(LAST + 1, unbound).operation)
    assert.equal(lost.reproducible, false)
    const unproven = ['creator', 'publicKey', 'signature', 'feeNanoMas', 'expirePeriod', 'body']
    assert.deepEqual(lost.unproven, unproven)
    for (const field of unproven) assert.ok(field in lost, field)
    const bound = await read(idsOf(3).operation)
    assert.equal(bound.reproducible, true)
    assert.ok(!('unproven' in bound))
  })

  it('says nothing of damage where it met none', async () => {
    await flip(2, 0)
    const found = await inspectBlock(store, idsOf(3).block)
    assert.ok(found)
    assert.ok(!('unreadablePeriods' in found))
  })

  it('goes on behind a period of which the summary is damaged, too', async () => {
    await flip(5, 0)
    await store.index.write([{ type: 'put', key: summaryKey(5), value: Uint8Array.of(1) }], { sync: false })
    const found = await inspectBlock(store, idsOf(3).block)
    assert.ok(found && 'unreadablePeriods' in found)
    assert.deepEqual(found.unreadablePeriods, [5])
  })

  it('error: what is in no period that can be read may be in one that cannot', async () => {
    for (const period of [1, 2, 4]) await flip(period, 0)
    await assert.rejects(inspectBlock(store, idsOf(2).block), (error) => {
      assert.ok(isArchiveError(error, 'STORE_VALUE_CORRUPT'))
      assert.match(error.message, /damaged: periods 1 to 2, 4$/)
      return true
    })
  })

  it('what is in no period is undefined, where all can be read', async () => {
    assert.equal(await inspectBlock(store, idsOf(LAST + 1).block), undefined)
  })

  it('shows a chunk that it has read, and error: refuses a damaged one and one that is not there', async () => {
    const [chunkId] = makePeriod(3).manifest.chunks.map((chunk) => toHex(chunk.chunkId))
    assert.ok(chunkId)
    const shown = await inspectChunk(store, chunkId)
    assert.ok(shown && 'bytes' in shown)
    assert.equal(shown.bytes, makePeriod(3).chunks[0]?.length)
    await flip(3, 0)
    await assert.rejects(inspectChunk(store, chunkId), (error) => isArchiveError(error, 'STORE_VALUE_CORRUPT'))
    await lose(3, 0)
    await assert.rejects(inspectChunk(store, chunkId), (error) => isArchiveError(error, 'STORE_VALUE_MISSING'))
  })
})
