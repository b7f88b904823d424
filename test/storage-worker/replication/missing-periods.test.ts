import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MAX_MISSING_RANGES } from '../../../protocol-handler/index.ts'
import { isMissingIn, joinRanges } from '../../../storage-worker/replication/missing-periods.ts'

describe('storage-worker/replication/missing-periods', () => {
  it('joined runs tell of the same periods, in order and apart', () => {
    const run = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 8 }))
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), (runs) => {
        const ranges = runs.map(([fromPeriod, length]) => ({ fromPeriod, endPeriod: fromPeriod + length }))
        const joined = joinRanges(ranges)
        for (const [i, { fromPeriod }] of joined.entries()) {
          if (i > 0) assert.ok(fromPeriod > (joined[i - 1]?.endPeriod ?? 0))
        }
        for (let period = 0; period < 70; period++) {
          const isMissing = ranges.some(({ fromPeriod, endPeriod }) => period >= fromPeriod && period < endPeriod)
          assert.equal(isMissingIn(joined, { first: period, last: period }), isMissing)
        }
      }),
    )
  })

  it('limit: of more than 64 runs the last one reaches to the end of all', () => {
    const runs = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ fromPeriod: 2 * i, endPeriod: 2 * i + 1 }))
    assert.deepEqual(joinRanges(runs(MAX_MISSING_RANGES)), runs(MAX_MISSING_RANGES))
    const joined = joinRanges(runs(MAX_MISSING_RANGES + 2))
    assert.equal(joined.length, MAX_MISSING_RANGES)
    assert.deepEqual(joined.at(-1), { fromPeriod: 126, endPeriod: 131 })
  })
})
