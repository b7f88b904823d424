import assert from 'node:assert/strict'
import { listAgeClasses } from '../../../storage-worker/placement/aged-holders.ts'

const nodesOf = (...retentions: readonly bigint[]) => retentions.map((retentionPeriods) => ({ retentionPeriods }))

describe('storage-worker/placement/aged-holders', () => {
  it('holders change whenever some nodes let go, and not when the last ones do', () => {
    assert.deepEqual(listAgeClasses(nodesOf(50n, 10n, 10n, 700n)), [
      { fromAge: 10, agePeriods: 10 },
      { fromAge: 50, agePeriods: 50 },
    ])
    assert.deepEqual(listAgeClasses(nodesOf(10n, 10n)), [])
    assert.deepEqual(listAgeClasses([]), [])
  })

  it('limit: of nine changes eight count, the last among them; nobody is asked later than when another lets go', () => {
    const eight = listAgeClasses(nodesOf(...Array.from({ length: 9 }, (_, i) => BigInt(i + 1))))
    assert.deepEqual(
      eight.map(({ fromAge, agePeriods }) => [fromAge, agePeriods]),
      [1, 2, 3, 4, 5, 6, 7, 8].map((age) => [age, age]),
    )
    const nine = listAgeClasses(nodesOf(...Array.from({ length: 10 }, (_, i) => BigInt(i + 1))))
    assert.equal(nine.length, 8)
    assert.equal(nine[0]?.fromAge, 1)
    assert.equal(nine.at(-1)?.agePeriods, 9)
    for (const [i, { fromAge, agePeriods }] of nine.entries()) {
      assert.ok(agePeriods >= fromAge)
      if (i > 0) assert.equal(fromAge, (nine[i - 1]?.agePeriods ?? 0) + 1)
    }
  })

  it('limit: a retention past what a number holds counts as the largest', () => {
    const last = Number.MAX_SAFE_INTEGER
    assert.deepEqual(listAgeClasses(nodesOf(7n, (1n << 64n) - 1n, BigInt(last))), [{ fromAge: 7, agePeriods: 7 }])
  })
})
