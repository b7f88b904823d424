import assert from 'node:assert/strict'
import fc from 'fast-check'
import { HASH_SLOTS } from '../../../core/index.ts'
import { SlotSet } from '../../../storage-worker/replication/slot-set.ts'

describe('storage-worker/replication/slot-set', () => {
  it('has what it was given, ascending, each once', () => {
    const slots = fc.array(fc.nat(HASH_SLOTS - 1), { maxLength: 3_000 })
    fc.assert(
      fc.property(slots, fc.nat(HASH_SLOTS - 1), (given, other) => {
        const set = new SlotSet(given)
        const expected = [...new Set(given)].sort((a, b) => a - b)
        assert.deepEqual([...set], expected)
        assert.equal(set.size, expected.length)
        assert.ok(given.every((slot) => set.has(slot)))
        assert.equal(set.has(other), expected.includes(other))
      }),
      { numRuns: 30, seed: 7 },
    )
  })

  it('limit: takes 2 KiB at most, as a list of 1,024 and as a bitmap of more', () => {
    for (const [count, sizeBytes] of [
      [0, 0],
      [1, 2],
      [1_024, 2_048],
      [1_025, 2_048],
      [HASH_SLOTS, 2_048],
    ] as const) {
      const set = new SlotSet(Array.from({ length: count }, (_, i) => i))
      assert.deepEqual([set.size, set.sizeBytes], [count, sizeBytes])
      assert.deepEqual([set.has(count - 1), set.has(count)], [count > 0, false])
    }
  })
})
