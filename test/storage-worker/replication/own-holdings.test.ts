import assert from 'node:assert/strict'
import { computeHashSlot } from '../../../core/index.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { OwnHoldings } from '../../../storage-worker/replication/own-holdings.ts'
import { StillClock } from '../../clocks.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { MadeArchive } from './made-archive.ts'

const HOUR_MS = 3_600_000

describe('storage-worker/replication/own-holdings', () => {
  function make(archive = new MadeArchive()) {
    const clock = new StillClock()
    return { archive, clock, holdings: new OwnHoldings(archive, clock) }
  }

  const missingOf = async (holdings: OwnHoldings, era: number) => {
    const missing = await holdings.missingSlots(era)
    return missing && [...missing].sort((a, b) => a - b)
  }

  it('nothing lacks in eras that are whole; before the first period and behind the last one nothing counts', async () => {
    const { archive, holdings } = make()
    archive.fill(200, 600)
    for (const era of [1, 2, 3, 4]) assert.deepEqual(await missingOf(holdings, era), [], `era ${era}`)
    for (const era of [0, 5, 9_999]) assert.equal(await missingOf(holdings, era), undefined, `era ${era}`)
    assert.deepEqual(await holdings.readRange(), { first: 200, last: 600 })
  })

  it('an empty archive holds nothing', async () => {
    const { holdings } = make()
    assert.equal(await holdings.readRange(), undefined)
    assert.equal(await missingOf(holdings, 0), undefined)
  })

  it('names the hash slots of chunks that are not held, in their era alone', async () => {
    const { archive, holdings } = make()
    archive.fill(0, 383, (period) => [period, 5_000 + period, 16_383])
    archive.drop(128, 0)
    archive.drop(200, 2)
    archive.drop(201, 2)
    assert.deepEqual(await missingOf(holdings, 0), [])
    assert.deepEqual(await missingOf(holdings, 1), [128, 16_383])
    assert.deepEqual(await missingOf(holdings, 2), [])
  })

  it('chunk 0 without SEALS counts as missing', async () => {
    const { archive, holdings } = make()
    archive.fill(0, 9, (period) => [period, 100 + period])
    const made = archive.periods.get(3)
    assert.ok(made)
    made.hasSeals = false
    assert.deepEqual(await missingOf(holdings, 0), [3])
  })

  it('an era in which a period is not visible, or cannot be read, is told of in no hash slot', async () => {
    const { archive, holdings } = make()
    archive.fill(0, 600)
    archive.periods.delete(130)
    archive.broken.set(300, 'STORE_VALUE_CORRUPT')
    assert.deepEqual(await missingOf(holdings, 0), [])
    assert.equal(await missingOf(holdings, 1), undefined)
    assert.equal(await missingOf(holdings, 2), undefined)
    assert.deepEqual(await missingOf(holdings, 3), [])
  })

  it('of an era in which periods are not visible, or cannot be read, it says which, and what lacks of the others', async () => {
    const { archive, holdings } = make()
    archive.fill(0, 600)
    for (const period of [128, 129, 140]) archive.periods.delete(period)
    archive.broken.set(200, 'STORE_VALUE_CORRUPT')
    archive.drop(150, 0)
    for (let period = 256; period < 384; period++) archive.periods.delete(period)
    const held = await holdings.readEra(1)
    assert.deepEqual(held && { missing: [...held.missing], absent: held.absent }, {
      missing: [150],
      absent: [
        { fromPeriod: 128, endPeriod: 130 },
        { fromPeriod: 140, endPeriod: 141 },
        { fromPeriod: 200, endPeriod: 201 },
      ],
    })
    assert.equal(await holdings.readEra(2), undefined)
    assert.deepEqual((await holdings.readEra(3))?.absent, [])
  })

  it('the newest period counts once its summary is written, which is a moment later', async () => {
    const { archive, clock, holdings } = make()
    archive.fill(0, 130)
    archive.unindexed.add(130)
    assert.deepEqual(await holdings.readRange(), { first: 0, last: 129 })
    assert.deepEqual(await missingOf(holdings, 1), [])
    archive.unindexed.clear()
    clock.advance(1_000)
    assert.deepEqual(await holdings.readRange(), { first: 0, last: 130 })
    archive.unindexed.add(5)
    holdings.note(5)
    assert.equal(await missingOf(holdings, 0), undefined)
  })

  it('error: what is no damage is thrown, and the era read again the next time', async () => {
    const { archive, holdings } = make()
    archive.fill(0, 10)
    archive.broken.set(3, 'STORE_CLOSED')
    await assert.rejects(holdings.missingSlots(0), { code: 'STORE_CLOSED' })
    archive.broken.clear()
    assert.deepEqual(await missingOf(holdings, 0), [])
  })

  it('reads an era once, again when a period of it was noted or came, and what lacks every hour', async () => {
    const { archive, clock, holdings } = make()
    archive.fill(0, 300, () => [7])
    archive.drop(10, 0)
    for (let i = 0; i < 3; i++) for (const era of [0, 1, 2]) await holdings.missingSlots(era)
    assert.deepEqual(archive.reads.splice(0), [0, 128, 256])
    archive.keep(10)
    assert.deepEqual(await missingOf(holdings, 0), [7])
    holdings.note(10)
    assert.deepEqual(await missingOf(holdings, 0), [])
    await holdings.missingSlots(1)
    assert.deepEqual(archive.reads.splice(0), [0])
    archive.fill(301, 301, () => [9])
    archive.drop(301, 0)
    clock.advance(1_000)
    assert.deepEqual(await missingOf(holdings, 2), [9])
    assert.deepEqual(archive.reads.splice(0), [256])
    archive.keep(301)
    clock.advance(HOUR_MS)
    assert.deepEqual(await missingOf(holdings, 2), [])
    assert.deepEqual(await missingOf(holdings, 1), [])
    assert.deepEqual(archive.reads.splice(0), [256])
  })

  it('what is noted while its era is read is not lost, whoever asks meanwhile', async () => {
    const { archive, holdings } = make()
    archive.fill(0, 50, () => [7])
    let letGo = (): void => undefined
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    archive.beforeRead = () => held
    archive.drop(10, 0)
    const first = holdings.missingSlots(0)
    await new Promise((resolve) => setImmediate(resolve))
    holdings.note(10)
    const second = holdings.missingSlots(0)
    letGo()
    await Promise.all([first, second])
    assert.deepEqual(archive.reads, [0, 0])
    archive.keep(10)
    holdings.note(10)
    assert.deepEqual(await missingOf(holdings, 0), [])
  })

  it('forgets eras that were deleted', async () => {
    const { archive, clock, holdings } = make()
    archive.fill(0, 400)
    await holdings.missingSlots(0)
    for (let period = 0; period < 256; period++) archive.periods.delete(period)
    clock.advance(1_000)
    assert.equal(await missingOf(holdings, 0), undefined)
    assert.equal(await missingOf(holdings, 1), undefined)
    assert.deepEqual(await missingOf(holdings, 2), [])
  })

  it('limit: gives way when eras took 10 ms, however fast the disk answers', async () => {
    const { archive, clock, holdings } = make()
    archive.fill(0, 128 * 100 - 1)
    archive.beforeRead = () => {
      clock.timeMs += 5
    }
    for (let era = 0; era < 100; era++) await holdings.missingSlots(era)
    assert.equal(clock.yields, 50)
  })

  it('is the same of a store as of what was made up', async () => {
    const bodies = await openMemoryLevel('bodies')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    await store.recover()
    const periods = [0, 1, 2, 3].map((number) => makePeriod(number, { blocks: 4, operations: 4 }))
    for (const period of periods) await store.writePeriod(period)
    const holdings = new OwnHoldings(store, new StillClock())
    assert.deepEqual(await missingOf(holdings, 0), [])
    await store.dropChunks(1, [0, 2])
    await store.dropChunks(3, [1])
    for (const number of [1, 3]) holdings.note(number)
    const expected = [
      [1, 0],
      [1, 2],
      [3, 1],
    ].map(([period = 0, index = 0]) => {
      const chunkId = periods[period]?.manifest.chunks[index]?.chunkId
      assert.ok(chunkId)
      return computeHashSlot(chunkId)
    })
    assert.deepEqual(
      await missingOf(holdings, 0),
      expected.sort((a, b) => a - b),
    )
  })
})
