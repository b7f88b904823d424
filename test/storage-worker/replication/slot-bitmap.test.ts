import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { HASH_SLOTS } from '../../../core/index.ts'
import { SlotBitmap } from '../../../storage-worker/replication/slot-bitmap.ts'

const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
const hashSlots = fc.uniqueArray(
  fc.oneof(fc.integer({ min: 0, max: HASH_SLOTS - 1 }), fc.constantFrom(0, 7, 8, 16_383)),
)

describe('storage-worker/replication/slot-bitmap', () => {
  it(`is a set (seed ${SEED})`, () => {
    const property = fc.property(hashSlots, hashSlots, (one, other) => {
      const set = SlotBitmap.of(one)
      assert.deepEqual(
        set.list(),
        [...one].sort((a, b) => a - b),
      )
      set.addAll(SlotBitmap.of(other))
      const both = new Set([...one, ...other])
      assert.deepEqual(
        new SlotBitmap(Uint8Array.from(set.bytes)).list(),
        [...both].sort((a, b) => a - b),
      )
      for (const hashSlot of [...both, 1, 16_382]) assert.equal(set.has(hashSlot), both.has(hashSlot))
    })
    fc.assert(property, { seed: SEED, numRuns: 50 })
  })
})
