import assert from 'node:assert/strict'
import type { DrawnChunk } from '../../../storage-worker/replication/chunk-draw.ts'
import { Suspicions } from '../../../storage-worker/replication/suspicions.ts'

const MINUTE_MS = 60_000

function chunkAt(period: number, index = 0, hashSlot = 5): DrawnChunk {
  return { period, index, hashSlot, chunkId: new Uint8Array(32), byteLength: 10 }
}

const at = (ms: number) => ({ nowMs: 1_000_000 + ms, monotonicMs: ms })

describe('storage-worker/replication: suspicions', () => {
  it('a chunk that was not shown once is asked for again after ten minutes, and is no suspicion', () => {
    const suspicions = new Suspicions()
    assert.equal(suspicions.note('A', chunkAt(7), 'failed', at(0)), 'doubted')
    assert.deepEqual(suspicions.list(), [])
    assert.equal(suspicions.findDue(['A'], 10 * MINUTE_MS - 1), undefined)
    assert.deepEqual(suspicions.findDue(['A'], 10 * MINUTE_MS), { address: 'A', chunk: chunkAt(7) })
    assert.equal(suspicions.findDue(['B'], 10 * MINUTE_MS), undefined)
  })

  it('not shown twice in a row is a suspicion since the first time, looked at again every hour', () => {
    const suspicions = new Suspicions()
    suspicions.note('A', chunkAt(7, 2), 'unanswered', at(0))
    assert.equal(suspicions.note('A', chunkAt(7, 2), 'unanswered', at(MINUTE_MS)), 'suspected')
    const suspicion = { address: 'A', period: 7, index: 2, sinceMs: 1_000_000, kind: 'unanswered' }
    assert.deepEqual(suspicions.list(), [suspicion])
    assert.equal(suspicions.count, 1)
    assert.equal(suspicions.findDue(['A'], 61 * MINUTE_MS - 1), undefined)
    assert.ok(suspicions.findDue(['A'], 61 * MINUTE_MS))
    assert.equal(suspicions.note('A', chunkAt(7, 2), 'failed', at(61 * MINUTE_MS)), undefined)
    assert.deepEqual(suspicions.list(), [{ ...suspicion, kind: 'failed' }])
  })

  it('shown between two misses it is none, shown later it is one no more', () => {
    const suspicions = new Suspicions()
    suspicions.note('A', chunkAt(7), 'failed', at(0))
    assert.equal(suspicions.note('A', chunkAt(7), 'shown', at(1)), undefined)
    assert.equal(suspicions.note('A', chunkAt(7), 'failed', at(2)), 'doubted')
    assert.equal(suspicions.note('A', chunkAt(7), 'unanswered', at(3)), 'suspected')
    assert.equal(suspicions.list()[0]?.kind, 'failed')
    assert.equal(suspicions.note('A', chunkAt(7), 'shown', at(4)), 'cleared')
    assert.deepEqual(suspicions.list(), [])
    assert.equal(suspicions.findDue(['A'], Number.MAX_SAFE_INTEGER), undefined)
  })

  it('limit: 8 chunks more not shown than shown, twice each, is next to nothing; 7 are not, and what is shown makes up for it', () => {
    const suspicions = new Suspicions()
    const miss = (period: number): void => {
      for (const time of [0, 1]) suspicions.note('A', chunkAt(period), 'unanswered', at(time))
    }
    for (let period = 100; period < 120; period++) suspicions.note('A', chunkAt(period), 'shown', at(0))
    for (let period = 0; period < 7; period++) miss(period)
    // The first time is nothing yet.
    suspicions.note('A', chunkAt(7), 'failed', at(2))
    assert.equal(suspicions.showsLittle('A'), false)
    suspicions.note('A', chunkAt(7), 'failed', at(3))
    assert.equal(suspicions.showsLittle('A'), true)
    assert.equal(suspicions.showsLittle('B'), false)
    // Asked for again, it is no other chunk.
    suspicions.note('A', chunkAt(100), 'shown', at(4))
    suspicions.note('A', chunkAt(7), 'failed', at(5))
    assert.equal(suspicions.showsLittle('A'), false)
    for (let period = 8; period < 40; period++) miss(period)
    for (let period = 100; period < 108; period++) suspicions.note('A', chunkAt(period), 'shown', at(6))
    assert.equal(suspicions.showsLittle('A'), true)
    suspicions.note('A', chunkAt(108), 'shown', at(7))
    assert.equal(suspicions.showsLittle('A'), false)
    // The list is full: what is not shown counts at once.
    suspicions.note('A', chunkAt(50), 'failed', at(8))
    assert.equal(suspicions.showsLittle('A'), true)
    suspicions.keepOnly(() => false)
    assert.equal(suspicions.showsLittle('A'), false)
  })

  it('limit: 16 chunks of one node are remembered, a 17th is not, until one is shown', () => {
    const suspicions = new Suspicions()
    for (let period = 0; period < 17; period++) {
      for (const time of [0, 1]) suspicions.note('A', chunkAt(period), 'failed', at(time))
    }
    assert.deepEqual(
      suspicions.list().map(({ period }) => period),
      Array.from({ length: 16 }, (_, period) => period),
    )
    suspicions.note('A', chunkAt(3), 'shown', at(2))
    for (const time of [3, 4]) suspicions.note('A', chunkAt(16), 'failed', at(time))
    assert.equal(suspicions.count, 16)
    assert.ok(suspicions.list().some(({ period }) => period === 16))
  })

  it('limit: 4,096 are remembered in all, with one more the oldest is forgotten', () => {
    const suspicions = new Suspicions()
    const noteTwice = (address: string, period: number, ms: number) => {
      for (const time of [ms, ms + 1]) suspicions.note(address, chunkAt(period), 'failed', at(time))
    }
    for (let i = 0; i < 4_096; i++) noteTwice(`node ${i >> 4}`, i & 15, i)
    assert.equal(suspicions.count, 4_096)
    assert.deepEqual(suspicions.list()[0], {
      address: 'node 0',
      period: 0,
      index: 0,
      sinceMs: 1_000_000,
      kind: 'failed',
    })
    noteTwice('one more', 0, 5_000)
    assert.equal(suspicions.count, 4_096)
    assert.equal(suspicions.list()[0]?.period, 1)
    assert.equal(suspicions.list().at(-1)?.address, 'one more')
  })

  it('forgets what a node need not hold any more', () => {
    const suspicions = new Suspicions()
    for (const address of ['A', 'B']) {
      for (const time of [0, 1]) suspicions.note(address, chunkAt(7), 'failed', at(time))
    }
    suspicions.keepOnly((address) => address === 'B')
    assert.deepEqual(
      suspicions.list().map(({ address }) => address),
      ['B'],
    )
  })
})
