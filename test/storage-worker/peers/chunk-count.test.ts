import assert from 'node:assert/strict'
import type { ChunkStore } from '../../../core/index.ts'
import { ChunkCount } from '../../../storage-worker/peers/chunk-count.ts'
import { SetClock } from '../../devnet/set-clock.ts'

const HOUR_MS = 3_600_000

/** Three chunks in each period of [first, last], and a count of the summaries that were read. */
class CountedStore {
  first = 10
  last = 19
  read = 0

  readRange = async () => ({ first: this.first, last: this.last })

  async *listSummaries({ from, to }: { from: number; to: number }) {
    for (let period = from; period <= to; period++) {
      this.read++
      yield { chunks: 3 }
    }
  }
}

describe('storage-worker/peers/chunk-count', () => {
  function make() {
    const store = new CountedStore()
    const clock = new SetClock()
    return { store, clock, count: new ChunkCount(store as unknown as ChunkStore, clock) }
  }

  it('reads the summaries of what is new, and of all after an hour or when old periods are gone', async () => {
    const { store, clock, count } = make()
    assert.equal(await count.read(), 30)
    store.last = 20
    assert.equal(await count.read(), 33)
    assert.equal(store.read, 11)
    clock.timeMs += HOUR_MS - 1
    assert.equal(await count.read(), 33)
    assert.equal(store.read, 11)
    clock.timeMs += 1
    assert.equal(await count.read(), 33)
    assert.equal(store.read, 22)
    store.first = 15
    assert.equal(await count.read(), 18)
  })

  it('an archive that grows downward is not counted again', async () => {
    const { store, count } = make()
    assert.equal(await count.read(), 30)
    store.first = 7
    store.last = 20
    assert.equal(await count.read(), 42)
    assert.equal(store.read, 14)
    store.first = 0
    assert.equal(await count.read(), 63)
    assert.equal(store.read, 21)
  })

  it('does so at the same times when the wall clock is set', async () => {
    for (const jumpMs of [-150_000, 2 * HOUR_MS]) {
      const { store, clock, count } = make()
      await count.read()
      clock.jumpMs = jumpMs
      await count.read()
      assert.equal(store.read, 10)
      clock.timeMs += HOUR_MS
      await count.read()
      assert.equal(store.read, 20)
    }
  })
})
