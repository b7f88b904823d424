import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  applyRetention,
  computeNextRetentionAt,
  computeRetentionCut,
  LevelChunkStore,
  planRetention,
} from '../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel } from './temp-store.ts'

describe('storage-worker/retention', () => {
  // first, last, retention, what goes
  const table: [number, number, number, { from: number; to: number } | undefined][] = [
    [0, 10_000, 0, undefined],
    // keeps 1 + 16 = 17 periods: 15..31 at last = 31, and steps end at multiples of 16
    [0, 31, 1, undefined],
    [0, 32, 1, { from: 0, to: 15 }],
    [5, 32, 1, { from: 5, to: 15 }],
    [16, 32, 1, undefined],
    [16, 47, 1, undefined],
    [16, 48, 1, { from: 16, to: 31 }],
    // below 128 steps of 16, from 128 on whole eras
    [0, 127 + 16 + 14, 127, undefined],
    [0, 127 + 16 + 15, 127, { from: 0, to: 15 }],
    [0, 128 + 16 + 126, 128, undefined],
    [0, 128 + 16 + 127, 128, { from: 0, to: 127 }],
    [100, 128 + 16 + 127, 128, { from: 100, to: 127 }],
    [128, 128 + 16 + 127, 128, undefined],
    [0, 128 + 16 + 255, 128, { from: 0, to: 255 }],
    [0, 5, 1000, undefined],
    [7, 7, 1, undefined],
  ]
  for (const [first, last, retention, want] of table) {
    it(`keeping ${retention} of ${first}..${last} lets ${want ? `${want.from}..${want.to}` : 'nothing'} go`, () => {
      assert.deepEqual(computeRetentionCut({ first, last }, retention), want)
    })
  }

  it('says with which newest period the next step is due, not one sooner', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 1, max: 1000 }), (first, retention) => {
        const last = computeNextRetentionAt(first, retention)
        assert.equal(computeRetentionCut({ first, last: last - 1 }, retention), undefined)
        assert.notEqual(computeRetentionCut({ first, last }, retention), undefined)
      }),
    )
  })

  it('never touches the last retention + 16 periods, and leaves less than one step more', () => {
    const number = fc.nat(5000)
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 1000 }), (first, length, retention) => {
        const last = first + length
        const cut = computeRetentionCut({ first, last }, retention)
        const step = retention >= 128 ? 128 : 16
        const firstKept = cut ? cut.to + 1 : first
        if (cut) assert.ok(cut.from === first && cut.to <= last - (retention + 16))
        if (cut && step === 128) assert.equal(firstKept % 128, 0)
        assert.ok(last - firstKept + 1 <= Math.max(length + 1, retention + 16 + step - 1))
        if (length + 1 >= retention + 16 + step) assert.ok(last - firstKept + 1 < retention + 16 + step)
      }),
    )
  })

  it('plans without deleting, and deletes what it planned', async () => {
    const bodies = await openMemoryLevel('bodies')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    assert.equal(await planRetention(store, 1), undefined)
    for (let number = 0; number <= 33; number++) if (number !== 4) await store.writePeriod(makePeriod(number))
    const plan = await planRetention(store, 1)
    const bytes = [...Array(16).keys()].reduce((sum, i) => sum + (i === 4 ? 0 : makePeriod(i).summary.bodyBytes), 0)
    assert.deepEqual(plan, { from: 0, to: 15, periods: 15, bodyBytes: bytes })
    assert.deepEqual(await store.readRange(), { first: 0, last: 33 })
    assert.deepEqual(await applyRetention(store, 1), plan)
    assert.deepEqual(await store.readRange(), { first: 16, last: 33 })
    assert.equal(await applyRetention(store, 1), undefined)
  })

  it('ends with the first era that may not go, and goes on from there when it may', async () => {
    const bodies = await openMemoryLevel('bodies')
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    for (const number of [100, 127, 128, 255, 256, 300]) await store.writePeriod(makePeriod(number))
    let anchored = 0
    const asked: number[] = []
    const mayGo = async (era: number): Promise<boolean> => {
      asked.push(era)
      return era < anchored
    }
    assert.equal(await applyRetention(store, 1, mayGo), undefined)
    assert.deepEqual(asked, [0])
    anchored = 1
    assert.equal((await planRetention(store, 1, mayGo))?.to, 127)
    assert.equal((await applyRetention(store, 1, mayGo))?.periods, 2)
    assert.equal((await store.readRange())?.first, 128)
    anchored = 9
    assert.equal((await applyRetention(store, 1, mayGo))?.to, 271)
    assert.equal((await store.readRange())?.first, 300)
  })
})
