import assert from 'node:assert/strict'
import { ChunkTally } from '../../../devnet/up/chunk-tally.ts'

/** A chunk id in a hash slot. */
const idIn = (hashSlot: number): string => hashSlot.toString(16).padStart(64, '0')

describe('devnet/up/chunk-tally', () => {
  it('counts chunks in all and of hash slots', () => {
    const tally = new ChunkTally()
    tally.put(5, [idIn(1), idIn(1), idIn(16_383)])
    tally.put(6, [idIn(2)])
    assert.deepEqual([tally.chunks, tally.countIn([1]), tally.countIn([2, 16_383]), tally.countIn([])], [4, 2, 2, 0])
  })

  it('a period that is counted again counts as it is now', () => {
    const tally = new ChunkTally()
    tally.put(5, [idIn(1)])
    tally.put(5, [idIn(1), idIn(2)])
    assert.deepEqual([tally.chunks, tally.countIn([1]), tally.countIn([2])], [2, 1, 1])
    tally.put(5, [])
    assert.deepEqual([tally.chunks, tally.countIn([1, 2])], [0, 0])
  })
})
