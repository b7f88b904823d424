import assert from 'node:assert/strict'
import type { Clock } from '../../core/index.ts'
import { type Damage, type LevelChunkStore, Scrub, type Store, verifyArchive } from '../../storage-worker/index.ts'
import { EXECUTION_RESULTS, encodeBodyKey, HOLDING, SEALS } from '../../storage-worker/keyspace.ts'
import { placeKey, summaryKey } from '../../storage-worker/period-index.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { assertHolds, assertHoldsPart, without } from '../suites/chunk-store-suite.ts'
import { makePeriod, noise } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()
const COUNT = makePeriod(4).chunks.length
const TAIL = { chunks: without(COUNT, 0, 1), executionResults: true }
const HEAD = { chunks: without(COUNT, 1), seals: true, executionResults: true }
const refetchPeriod = async (number: number) => makePeriod(number)

describe('storage-worker: damage of periods in part', () => {
  let opened: Store
  let store: LevelChunkStore
  beforeEach(async () => {
    opened = await openTestStore(await folders.make())
    store = opened.chunks
    for (const number of [3, 4, 5, 6]) await store.writePeriod(makePeriod(number))
    await store.dropChunks(4, [0, 1])
    await store.dropChunks(5, [1])
  })
  afterEach(async () => {
    await opened.close()
    await folders.clean()
  })

  /** Through the database, and through tables. */
  async function find(deep = false): Promise<string[]> {
    const names = async (threads: number) =>
      (await verifyArchive(store, { deep, threads })).damages.map(
        ({ period, what, code }) => `${period} ${what} ${code}`,
      )
    const found = await names(0)
    assert.deepEqual(await names(1), found)
    assert.deepEqual((await scrub(store)).toSorted(), found.toSorted())
    return found
  }

  it('is none where only is missing what is not held', async () => {
    assert.deepEqual(await find(), [])
    assert.deepEqual(await find(true), [])
    await store.compactPeriods(0, 9)
    const report = await verifyArchive(store, { deep: true, threads: 1 })
    assert.deepEqual([report.damages, report.periods, report.chunks], [[], 4, 4 * COUNT - 3])
  })

  it('is named where a value is missing that is held', async () => {
    await store.deleteValues(4, [2])
    await store.deleteValues(5, [0, SEALS, EXECUTION_RESULTS])
    const missing = (what: string) => `${what} STORE_VALUE_MISSING`
    assert.deepEqual(await find(), [
      missing('4 chunk 2'),
      missing('5 chunk 0'),
      missing('5 seals'),
      missing('5 execution results'),
    ])
  })

  it('is named where the holding itself is gone: then all that it spoke of is missing', async () => {
    await store.deleteValues(5, [HOLDING])
    assert.deepEqual(await find(), ['5 chunk 1 STORE_VALUE_MISSING', '5 index STORE_INDEX_WRONG'])
  })

  it('is named where a chunk stands that is not held, and the chunk goes', async () => {
    const chunk = makePeriod(4).chunks[1] ?? new Uint8Array(0)
    const put = { type: 'put', key: encodeBodyKey(4, 1), value: sealValue(chunk) } as const
    await store.bodies.write([put], { sync: true })
    for (const threads of [0, 1]) {
      const { damages } = await verifyArchive(store, { threads })
      assert.deepEqual(
        damages.map(({ what, code, repairable }) => [what, code, repairable]),
        [['chunk 1', 'STORE_VALUE_ORPHANED', true]],
      )
    }
    const repaired = await verifyArchive(store, { repair: true, threads: 0 })
    assert.deepEqual(
      repaired.damages.map((damage) => damage.repaired),
      [true],
    )
    await assertHoldsPart(store, makePeriod(4), TAIL)
    await store.bodies.write([put], { sync: true })
    assert.deepEqual(await scrub(store), ['4 chunk 1 STORE_VALUE_ORPHANED'])
    assert.deepEqual(await find(), [])
  })

  for (const [what, value] of [
    ['flipped', noise('x', 60)],
    ['a value that is no holding', sealValue(noise('x', 20))],
    ['of more chunks than there are', sealValue(Uint8Array.of(1, 3, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 9))],
    ['one that misses nothing', sealValue(Uint8Array.of(1, 3, 0, 0, 0, 6, 0, 0, 0, 0))],
  ] as const) {
    it(`is named where the holding is ${what}, and is repaired from what stands there`, async () => {
      await store.bodies.write([{ type: 'put', key: encodeBodyKey(5, HOLDING), value }], { sync: true })
      const code = what === 'flipped' ? 'STORE_VALUE_CORRUPT' : 'STORE_HOLDING_INVALID'
      assert.deepEqual(await find(), [`5 holding ${code}`])
      const { damages } = await verifyArchive(store, { repair: true, threads: 0 })
      assert.deepEqual(
        damages.map(({ repaired }) => repaired),
        [true],
      )
      await assertHoldsPart(store, makePeriod(5), HEAD)
      assert.deepEqual(await find(true), [])
    })
  }

  it('is repaired by a source without taking more than was held', async () => {
    await flip(5, 0)
    await flip(4, 2)
    const { damages } = await verifyArchive(store, { repair: true, refetchPeriod })
    assert.deepEqual(
      damages.map(({ what, repaired, lost }) => [what, repaired, lost]),
      [
        ['chunk 2', true, undefined],
        ['chunk 0', true, undefined],
      ],
    )
    await assertHoldsPart(store, makePeriod(5), HEAD)
    await assertHoldsPart(store, makePeriod(4), TAIL)
    assert.deepEqual(await find(true), [])
  })

  it('is repaired by a part from elsewhere', async () => {
    await flip(5, 0)
    const { manifest, chunks } = makePeriod(5)
    await store.writePart({ manifest, operations: 0, chunks: new Map([[0, chunks[0] ?? new Uint8Array(0)]]) })
    await assertHoldsPart(store, makePeriod(5), HEAD)
    assert.deepEqual(await find(true), [])
  })

  it('of the index is named and rebuilt: places too many, too few, another summary', async () => {
    const { manifest } = makePeriod(4)
    const place = (index: number) =>
      placeKey({ chunkId: manifest.chunks[index]?.chunkId ?? new Uint8Array(0), period: 4, index })
    const whole = (await store.index.get(summaryKey(3))) ?? new Uint8Array(0)
    for (const operation of [
      { type: 'put', key: place(1), value: new Uint8Array(0) },
      { type: 'del', key: place(2) },
      { type: 'put', key: summaryKey(4), value: whole },
      { type: 'del', key: summaryKey(4) },
    ] as const) {
      await store.index.write([operation], { sync: true })
      for (const threads of [0, 1]) {
        const { damages } = await verifyArchive(store, { threads })
        assert.deepEqual(
          damages.map(({ period, what }) => [period, what]),
          [[4, 'index']],
        )
      }
      await verifyArchive(store, { repair: true, threads: 0 })
      assert.deepEqual(await find(true), [])
      await assertHoldsPart(store, makePeriod(4), TAIL)
    }
    await store.restoreIndex()
    assert.deepEqual(await find(true), [])
  })

  it('is none of a chunk that comes while the scrub is at its period', async () => {
    const { manifest, chunks } = makePeriod(5)
    const part = { manifest, operations: 0, chunks: new Map([[1, chunks[1] ?? new Uint8Array(0)]]) }
    const keys = store.listPlaces.bind(store)
    const late = Object.assign(Object.create(store) as LevelChunkStore, {
      async *listPlaces(from: number, to: number) {
        for await (const places of keys(from, to)) {
          if (places.period === 5) await store.writePart(part)
          yield places
        }
      },
    })
    assert.deepEqual(await scrub(late), [])
    await assertHolds(store, makePeriod(5))
  })

  async function flip(period: number, n: number): Promise<void> {
    const key = encodeBodyKey(period, n)
    const value = Uint8Array.from((await store.bodies.get(key)) ?? [])
    value[40] = (value[40] ?? 0) ^ 1
    await store.bodies.write([{ type: 'put', key, value }], { sync: true })
  }
})

async function scrub(store: LevelChunkStore): Promise<string[]> {
  const damages: Damage[] = []
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: async () => undefined }
  const onDamage = (damage: Damage) => damages.push(damage)
  await new Scrub({ onDamage }, { store, clock, readUsedBytes: async () => 1e9 }).runRound(0)
  return damages.map(({ period, what, code }) => `${period} ${what} ${code}`)
}
