import assert from 'node:assert/strict'
import { computeScores, HASH_SLOTS, rankNodes } from '../../../core/index.ts'
import { DeepRanks } from '../../../storage-worker/placement/deep-ranks.ts'

const NODES = Array.from({ length: 5 }, (_, i) => ({ address: `AU${i}`, placementGb: BigInt(1 + i) }))
const SCORED = NODES.map(({ address, placementGb }, number) => {
  return { address, number, scores: computeScores(address, placementGb) }
})
/** Room for the scores of ten hash slots. */
const CACHE_BYTES = 10 * 8 * NODES.length
const all = { qualifies: () => true }

function rank(hashSlot: number): number[] {
  return rankNodes(hashSlot, SCORED).map(({ number }) => number)
}

describe('storage-worker/placement/deep-ranks', () => {
  it('ranks as core does, in whichever order hash slots are asked for, and at the same time', async () => {
    const ranks = new DeepRanks(NODES, CACHE_BYTES)
    const hashSlots = [9, 10, 0, HASH_SLOTS - 1, 10, 11]
    const lists = await Promise.all(hashSlots.map((hashSlot) => ranks.listFirst(hashSlot, 9, all)))
    assert.deepEqual(lists, hashSlots.map(rank))
    assert.deepEqual(await ranks.listFirst(3, 2, all), rank(3).slice(0, 2))
    const others = rank(3).filter((number) => number !== 1)
    assert.deepEqual(await ranks.listFirst(3, 9, { qualifies: (number) => number !== 1 }), others)
  })

  it('ranks one hash slot at least, however many nodes there are', async () => {
    const ranks = new DeepRanks(NODES, 1)
    for (const hashSlot of [5, 6]) assert.deepEqual(await ranks.listFirst(hashSlot, 5, all), rank(hashSlot))
  })

  it('ends for who gave up, and goes on for the others', async () => {
    const ranks = new DeepRanks(NODES, CACHE_BYTES)
    const aborting = new AbortController()
    const first = ranks.listFirst(0, 5, { ...all, signal: aborting.signal })
    const second = ranks.listFirst(0, 5, all)
    aborting.abort(new Error('enough'))
    await assert.rejects(first, /enough/)
    assert.deepEqual(await second, rank(0))
  })
})
