import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError, type Clock, parseBlockId, toHex } from '../../../core/index.ts'
import type { GuardedLevel } from '../../../storage-worker/guarded-level.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistoryIndexer } from '../../../storage-worker/history/history-indexer.ts'
import { MAX_INDEXED_PERIOD } from '../../../storage-worker/history/history-keys.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { HISTORY_FOLDER, openHistory } from '../../../storage-worker/history/index.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { encodeBodyKey } from '../../../storage-worker/keyspace.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { AutoClock } from '../../clocks.ts'
import { SeededRandom } from '../../fuzz/registry/random.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel, openTestStore, TempFolders } from '../temp-store.ts'

const folders = new TempFolders()
const SEEDS = 6
const STEPS = 30
const PERIODS = 12
const SHAPE = { operationBytes: 300 }

describe('storage-worker/history-indexer', () => {
  afterEach(() => folders.clean())

  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`an index kept beside writes, drops and deletions is the one made anew, seed ${seed}`, async () => {
      const random = new SeededRandom(BigInt(seed))
      const store = await makeStore()
      const live = await makeIndex()
      const indexer = makeSync(store, live.index)
      for (let step = 0; step < STEPS; step++) {
        const period = random.int(PERIODS)
        const act = random.int(10)
        if (act < 6) await store.writePeriod(makePeriod(period, SHAPE))
        else if (act < 8 && (await store.readSummary(period))) await store.dropChunks(period, [0])
        else if (act === 8) await store.deletePeriods(period, period + 2)
        else await indexer.compare()
      }
      await indexer.compare()
      await live.index.sweep()
      const indexed = await listIndexed(live.index)
      for await (const { period, heldChunks } of store.listSummaries({ from: 0, to: PERIODS })) {
        assert(indexed.includes(period) || heldChunks !== undefined, `period ${period}`)
      }
      // Of the same periods, all whole.
      const whole = await makeStore()
      for (const period of indexed) await whole.writePeriod(makePeriod(period, SHAPE))
      const fresh = await makeIndex()
      await makeSync(whole, fresh.index).compare()
      assert.deepEqual(await dump(live.level), await dump(fresh.level))
    })
  }

  it('is swept by itself once more is gone than is left', async () => {
    const store = await makeStore()
    for (let period = 0; period < 300; period++)
      await store.writePeriod(makePeriod(period, { blocks: 1, operations: 0 }))
    const { index, level } = await makeIndex()
    const indexer = makeSync(store, index)
    await indexer.compare()
    const before = (await dump(level)).length
    await store.deletePeriods(0, 279)
    await indexer.compare()
    assert.equal((await dump(level)).length, (before / 300) * 20)
  })

  it('indexes what is noted, and what is there when it starts, by itself', async () => {
    const store = await makeStore()
    await store.writePeriod(makePeriod(3, SHAPE))
    const { index } = await makeIndex()
    const indexer = makeIndexer(store, index, new AutoClock())
    indexer.start()
    while (!indexer.status().isComplete) await new Promise((resolve) => setImmediate(resolve))
    await store.writePeriod(makePeriod(4, SHAPE))
    indexer.note(4)
    while (!(await isIndexed(index, 4))) await new Promise((resolve) => setImmediate(resolve))
    await indexer.stop()
    const { indexedPeriods, partialPeriods, isComplete } = indexer.status()
    assert.deepEqual(
      { indexedPeriods, partialPeriods, isComplete },
      { indexedPeriods: 2, partialPeriods: 0, isComplete: true },
    )
    const { id } = makeBlock({ period: 4, thread: 1 }, SHAPE)
    assert.deepEqual(await indexer.findPeriods('blocks', parseBlockId(id)), [4])
    assert.deepEqual(await indexer.findPeriods('operations', parseBlockId(id)), [])
  })

  it('leaves out what is not whole here, and what is damaged', async () => {
    const store = await makeStore()
    for (const period of [1, 2, 3]) await store.writePeriod(makePeriod(period, SHAPE))
    await store.dropChunks(1, [0])
    await store.bodies.write([{ type: 'put', key: encodeBodyKey(2, 0), value: new Uint8Array(40) }], { sync: true })
    const { index } = await makeIndex()
    const indexer = makeSync(store, index)
    await indexer.compare()
    assert.deepEqual(
      [await isIndexed(index, 1), await isIndexed(index, 2), await isIndexed(index, 3)],
      [false, false, true],
    )
    assert.equal(indexer.partialPeriods, 2)
  })

  it('error: says once that the index cannot be written, and goes on when it can', async () => {
    const store = await makeStore()
    await store.writePeriod(makePeriod(1, SHAPE))
    const { index } = await makeIndex()
    const logged: string[] = []
    let isFull = true
    const log = createLogger({
      ...{ level: 'info', format: 'json' },
      destination: { write: (line: string) => logged.push((JSON.parse(line) as { msg: string }).msg) },
    })
    const disk = {
      checkRoom: async () => {
        if (isFull) throw new ArchiveError('STORE_DISK_FULL', 'injected')
      },
    }
    const clock = new AutoClock()
    const indexer = new HistoryIndexer({ store, index, disk, clock, log, onFatal: (error) => assert.fail(error) })
    indexer.start()
    while (indexer.status().failing === undefined) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(indexer.status().isComplete, false)
    isFull = false
    while (!indexer.status().isComplete) await new Promise((resolve) => setImmediate(resolve))
    await indexer.stop()
    assert.deepEqual(logged, ['history index not written', 'history index can be written again'])
    assert.equal(await isIndexed(index, 1), true)
  })
})

describe('storage-worker/open-history', () => {
  afterEach(() => folders.clean())

  it('keeps what was indexed', async () => {
    const dataDir = await fillHistory()
    const { index, discarded } = await openHistory(dataDir, TEST_IDENTITY)
    assert.equal(discarded, undefined)
    assert.equal(await isIndexed(index, 3), true)
    await index.close()
  })

  for (const [what, spoil] of [
    ['a database without its CURRENT', (dir: string) => writeFile(join(dir, 'CURRENT'), 'x')],
    ['another archive', undefined],
  ] as const) {
    it(`begins anew in place of ${what}, and says why`, async () => {
      const dataDir = await fillHistory()
      await spoil?.(join(dataDir, HISTORY_FOLDER))
      const identity = spoil ? TEST_IDENTITY : { ...TEST_IDENTITY, chunkSizeBytes: 8192 }
      const { index, discarded } = await openHistory(dataDir, identity)
      assert.equal(typeof discarded, 'string')
      assert.equal(await isIndexed(index, 3), false)
      await index.close()
    })
  }

  async function fillHistory(): Promise<string> {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    await store.chunks.writePeriod(makePeriod(3, SHAPE))
    const { index } = await openHistory(dataDir, TEST_IDENTITY)
    await makeSync(store.chunks, index).compare()
    await index.close()
    await store.close()
    return dataDir
  }
})

async function makeStore(): Promise<LevelChunkStore> {
  const databases = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  return new LevelChunkStore(TEST_IDENTITY, databases)
}

async function makeIndex(): Promise<{ readonly index: HistoryIndex; readonly level: GuardedLevel }> {
  const level = await openMemoryLevel('history')
  return { index: new HistoryIndex(level), level }
}

function makeIndexer(store: LevelChunkStore, index: HistoryIndex, clock: Clock): HistoryIndexer {
  const log = createLogger({ level: 'error', format: 'json', destination: { write: () => true } })
  return new HistoryIndexer({ store, index, clock, log, onFatal: (error) => assert.fail(error) })
}

function makeSync(store: LevelChunkStore, index: HistoryIndex): HistorySync {
  return new HistorySync({ store, index })
}

async function isIndexed(index: HistoryIndex, period: number): Promise<boolean> {
  return (await index.readDirectory(period)) !== undefined
}

async function listIndexed(index: HistoryIndex): Promise<number[]> {
  const periods: number[] = []
  for await (const period of index.listPeriods(0, MAX_INDEXED_PERIOD)) periods.push(period)
  return periods
}

async function dump(level: GuardedLevel): Promise<string[]> {
  const entries: string[] = []
  for await (const [key, value] of level.entries({})) entries.push(`${toHex(key)} ${toHex(value)}`)
  return entries
}
