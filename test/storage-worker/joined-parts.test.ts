import assert from 'node:assert/strict'
import type { ArchivedPeriod, PeriodPart } from '../../core/index.ts'
import { GuardedLevel, type Level } from '../../storage-worker/guarded-level.ts'
import { LevelChunkStore } from '../../storage-worker/index.ts'
import { assertHoldsPart } from '../suites/chunk-store-suite.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { createMemoryLevel, openMemoryLevel } from './temp-store.ts'

const PERIODS = 40
const SHAPE = { blocks: 4, operations: 3 }

/** A store in memory, and how often its bodies were written. */
async function open(): Promise<{ readonly store: LevelChunkStore; readonly writes: () => number }> {
  let writes = 0
  const level = createMemoryLevel()
  const begin = level.batch.bind(level) as () => ReturnType<Level['batch']>
  const counted = Object.assign(level, {
    batch: () => {
      const batch = begin() as unknown as { _write(options: object): Promise<void> }
      const write = batch._write.bind(batch)
      return Object.assign(batch, {
        _write: async (options: object) => {
          writes++
          await write(options)
        },
      })
    },
  }) as unknown as Level
  const bodies = await GuardedLevel.open({ name: 'bodies', create: () => counted })
  const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
  await store.recover()
  return { store, writes: () => writes }
}

function partOf({ manifest, chunks, summary }: ArchivedPeriod, ...indexes: number[]): PeriodPart {
  const given = indexes.map((index) => [index, chunks[index] ?? new Uint8Array()] as const)
  return { manifest, operations: summary.operations, chunks: new Map(given) }
}

describe('storage-worker/chunk-store: parts that wait for each other', () => {
  it('limit: parts of 16 periods go in a few writes, however many there are', async () => {
    const { store, writes } = await open()
    const periods = Array.from({ length: PERIODS }, (_, i) => makePeriod(i + 1, SHAPE))
    await Promise.all(periods.map((period) => store.writePart(partOf(period, 1))))
    for (const period of periods) await assertHoldsPart(store, period, { chunks: [1] })
    // 16, 16 and 8; the first of each may go ahead.
    assert.ok(writes() <= 6, `${writes()} writes`)
  })

  it('those of one period follow each other', async () => {
    const { store } = await open()
    const [first, second] = [makePeriod(1, SHAPE), makePeriod(2, SHAPE)]
    await Promise.all([
      store.writePart(partOf(first, 0)),
      store.writePart(partOf(second, 0)),
      store.writePart(partOf(first, 1)),
      store.writePart(partOf(first, 2)),
    ])
    await assertHoldsPart(store, first, { chunks: [0, 1, 2] })
    await assertHoldsPart(store, second, { chunks: [0] })
  })

  it('none overtakes what was to be done before it', async () => {
    const { store } = await open()
    const [first, second] = [makePeriod(1, SHAPE), makePeriod(2, SHAPE)]
    await store.writePart(partOf(second, 0, 1))
    await Promise.all([
      store.writePart(partOf(first, 0)),
      store.dropChunks(2, [1]),
      store.writePart(partOf(second, 1)),
      store.dropChunks(2, [0]),
    ])
    await assertHoldsPart(store, second, { chunks: [1] })
  })

  it('error: one that cannot be written fails alone', async () => {
    const { store } = await open()
    const [first, second] = [makePeriod(1, SHAPE), makePeriod(2, SHAPE)]
    await store.writePart(partOf(second, 0))
    const other = makePeriod(2, { ...SHAPE, seed: 'other' })
    const written = store.writePart(partOf(first, 0))
    await assert.rejects(store.writePart(partOf(other, 0)), { code: 'STORE_PERIOD_CONFLICT' })
    await written
    await assertHoldsPart(store, first, { chunks: [0] })
  })
})
