import assert from 'node:assert/strict'
import { listEraChunks } from '../../../storage-worker/cluster/era-chunks.ts'
import { StillClock } from '../../clocks.ts'
import { MadeArchive } from '../replication/made-archive.ts'

const signal = new AbortController().signal

describe('storage-worker/cluster/era-chunks', () => {
  it('counts the chunks of each era by hash slot, and those that are not here', async () => {
    const store = new MadeArchive().fill(120, 260, (period) => (period % 2 === 0 ? [7, 7, 8] : [9]))
    store.periods.delete(125)
    store.drop(130, 1)
    store.drop(130, 2)
    const seen: object[] = []
    for await (const chunks of listEraChunks({ store, clock: new StillClock() }, { from: 120, to: 257 }, signal)) {
      const { era, last, periods, hashSlots, counts, lacking } = chunks
      const slots = [...hashSlots].sort((a, b) => a - b)
      seen.push({
        era,
        last,
        periods: periods.length,
        counts: slots.map((slot) => [slot, counts[slot]]),
        lacking: slots.map((slot) => lacking[slot]),
      })
    }
    assert.deepEqual(seen, [
      {
        era: 0,
        last: 127,
        periods: 7,
        counts: [
          [7, 8],
          [8, 4],
          [9, 3],
        ],
        lacking: [0, 0, 0],
      },
      {
        era: 1,
        last: 255,
        periods: 128,
        counts: [
          [7, 128],
          [8, 64],
          [9, 64],
        ],
        lacking: [1, 1, 0],
      },
      {
        era: 2,
        last: 257,
        periods: 2,
        counts: [
          [7, 2],
          [8, 1],
          [9, 1],
        ],
        lacking: [0, 0, 0],
      },
    ])
  })

  it('parts an era where it is told to', async () => {
    const store = new MadeArchive().fill(120, 260, () => [7])
    const parts: number[][] = []
    const range = { from: 120, to: 257, cuts: [200, 125, 120, 3, 200, 256, 900] }
    for await (const { era, first, last, periods, counts } of listEraChunks(
      { store, clock: new StillClock() },
      range,
      signal,
    )) {
      parts.push([era, first, last, periods.length, counts[7] ?? 0])
    }
    assert.deepEqual(parts, [
      [0, 120, 124, 5, 5],
      [0, 125, 127, 3, 3],
      [1, 128, 199, 72, 72],
      [1, 200, 255, 56, 56],
      [2, 256, 257, 2, 2],
    ])
  })

  it('gives way between eras, and ends when it is told to', async () => {
    const store = new MadeArchive().fill(0, 128 * 6 - 1)
    const clock = new StillClock()
    // Each era takes 4 ms.
    store.beforeRead = () => clock.advance(4)
    const aborting = new AbortController()
    let eras = 0
    const listing = async (): Promise<void> => {
      for await (const { era } of listEraChunks({ store, clock }, { from: 0, to: 128 * 6 - 1 }, aborting.signal)) {
        eras++
        if (era === 4) aborting.abort(new Error('enough'))
      }
    }
    await assert.rejects(listing(), /enough/)
    assert.deepEqual([eras, clock.yields], [5, 2])
  })
})
