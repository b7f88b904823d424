import assert from 'node:assert/strict'
import { Lane } from '../../archiver/lane.ts'

describe('archiver/lane', () => {
  for (const width of [1, 3]) {
    it(`runs ${width} at a time, in the order in which they came, and goes on after one that failed`, async () => {
      const lane = new Lane(width)
      const began: number[] = []
      let running = 0
      let most = 0
      const run = (i: number) =>
        lane.run(async () => {
          began.push(i)
          most = Math.max(most, ++running)
          await new Promise((resolve) => setImmediate(resolve))
          running--
          if (i === 1) throw new Error('injected')
          return i
        })
      const results = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map(run))
      assert.deepEqual(
        results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
        [0, 'failed', 2, 3, 4, 5, 6],
      )
      assert.deepEqual(began, [0, 1, 2, 3, 4, 5, 6])
      assert.equal(most, width)
      assert.equal(await run(7), 7)
    })
  }
})
