import assert from 'node:assert/strict'
import { LevelChunkStore } from '../../storage-worker/index.ts'
import { encodeBodyKey, encodeIndexKey, keyspaceRange, MANIFEST } from '../../storage-worker/keyspace.ts'
import { summaryKey } from '../../storage-worker/period-index.ts'
import { assertHolds, describeChunkStore, hasCode } from '../suites/chunk-store-suite.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel, openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describeChunkStore('memory-level', async () => {
  const bodies = await openMemoryLevel('bodies')
  const index = await openMemoryLevel('index')
  const make = async () => {
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
    await store.recover()
    return store
  }
  return { store: await make(), reopen: make, close: () => bodies.close() }
})

describeChunkStore('classic-level', async () => {
  const dataDir = await folders.make()
  let store = await openTestStore(dataDir)
  return {
    store: store.chunks,
    async reopen() {
      await store.close()
      store = await openTestStore(dataDir)
      return store.chunks
    },
    async close() {
      await store.close()
      await folders.clean()
    },
  }
})

describe('storage-worker/chunk-store', () => {
  afterEach(() => folders.clean())

  it('rebuilds the whole index from the bodies when it is gone', async () => {
    const dataDir = await folders.make()
    const before = await openTestStore(dataDir)
    for (const number of [0, 1, 2, 7]) await before.chunks.writePeriod(makePeriod(number))
    const { index } = before.chunks
    for await (const key of index.keys({})) await index.write([{ type: 'del', key }], { sync: true })
    await before.close()
    const after = await openTestStore(dataDir)
    for (const number of [0, 1, 2, 7]) await assertHolds(after.chunks, makePeriod(number))
    const chunkId = makePeriod(7).manifest.chunks[0]?.chunkId
    assert.ok(chunkId)
    assert.equal((await after.chunks.findChunks(Buffer.from(chunkId).toString('hex'), 9)).length, 1)
    await after.close()
  })

  it('indexes at opening what a crash left unindexed: the newest periods, and one written out of order', async () => {
    const dataDir = await folders.make()
    const before = await openTestStore(dataDir)
    for (const number of [1, 2, 3, 5, 6]) await before.chunks.writePeriod(makePeriod(number))
    const { index } = before.chunks
    // As after a power cut: entries of 5 and 6 never reached the disk; 2 was announced and then only its bodies written.
    const pending = encodeIndexKey('pendingPeriods', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2))
    await index.write(
      [
        ...[2, 5, 6].map((period) => ({ type: 'del' as const, key: summaryKey(period) })),
        { type: 'put', key: pending, value: new Uint8Array(0) },
      ],
      { sync: true },
    )
    await before.close()
    const after = await openTestStore(dataDir)
    for (const number of [1, 2, 3, 5, 6]) await assertHolds(after.chunks, makePeriod(number))
    assert.equal(await after.chunks.index.firstKey(keyspaceRange('pendingPeriods')), undefined)
    await after.close()
  })

  it('finishes at opening a deletion that a crash interrupted', async () => {
    const bodies = await openMemoryLevel('bodies')
    const index = await openMemoryLevel('index')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
    for (let number = 0; number < 6; number++) await store.writePeriod(makePeriod(number))
    const journal = encodeIndexKey('journal', new TextEncoder().encode('deletion'))
    const range = new Uint8Array(16)
    range[15] = 3
    await index.write([{ type: 'put', key: journal, value: range }], { sync: true })
    await bodies.write([{ type: 'del', key: encodeBodyKey(2, MANIFEST) }], { sync: true })
    const again = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
    await again.recover()
    assert.deepEqual(await again.readRange(), { first: 4, last: 5 })
    assert.equal(await again.readSummary(2), undefined)
    assert.equal(await bodies.get(encodeBodyKey(2, 0)), undefined)
    assert.equal(await index.get(journal), undefined)
  })

  it('error: names the value whose bytes changed on disk', async () => {
    const bodies = await openMemoryLevel('bodies')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    await store.writePeriod(makePeriod(4))
    const key = encodeBodyKey(4, 1)
    const value = Buffer.from((await bodies.get(key)) ?? [])
    value[100] = (value[100] ?? 0) ^ 1
    await bodies.write([{ type: 'put', key, value }], { sync: true })
    await assert.rejects(store.readChunk(4, 1), (error: { context: object } & Error) => {
      assert.deepEqual(error.context, { period: 4, index: 1 })
      return hasCode('STORE_VALUE_CORRUPT')(error)
    })
    await store.writePeriod(makePeriod(4))
    await assertHolds(store, makePeriod(4))
  })

  it('keeps the first seals and execution results when a period is written again', async () => {
    const bodies = await openMemoryLevel('bodies')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    const period = makePeriod(4)
    await store.writePeriod(period)
    await store.writePeriod({ ...period, executionResults: Uint8Array.of(1), seals: Uint8Array.of(2) })
    await assertHolds(store, period)
    await store.replacePeriod({ ...period, executionResults: Uint8Array.of(1) })
    assert.deepEqual(await store.readExecutionResults(4), Uint8Array.of(1))
  })
})
