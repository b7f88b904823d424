import assert from 'node:assert/strict'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { describeChunkStore, hasCode } from '../suites/chunk-store-suite.ts'
import { describeSpool } from '../suites/spool-suite.ts'
import { MemorySpool } from './memory-spool.ts'
import { MemoryStore } from './memory-store.ts'
import type { Life } from './node-clock.ts'
import { SimDisk } from './sim-disk.ts'
import { SimRandom } from './sim-random.ts'

/** What is planned happens at the next turn, or when `hold` lets it. */
function makeDisk() {
  const planned: (() => void)[] = []
  const disk = new SimDisk((_, work) => {
    if (held.length > 0) planned.push(work)
    else queueMicrotask(work)
  })
  const held: true[] = []
  return { disk, hold: () => held.push(true), planned }
}

function openOn(disk: SimDisk) {
  const life: Life = { isOver: false }
  const store = new MemoryStore(TEST_IDENTITY, { disk, life })
  return { life, store, spool: new MemorySpool({ disk, life }) }
}

const close = async (): Promise<void> => undefined

describeChunkStore('of the simulation', async () => {
  const { disk } = makeDisk()
  return { store: openOn(disk).store, reopen: async () => openOn(disk).store, close }
})

describeSpool('of the simulation', async () => {
  const { disk } = makeDisk()
  return {
    spool: openOn(disk).spool,
    reopen: async () => {
      disk.crash(new SimRandom('reopen'))
      return openOn(disk).spool
    },
    close,
  }
})

describe('test/sim: the disk of a node', () => {
  it('a write that a crash meets is there whole or not at all', async () => {
    const outcomes = new Set<boolean>()
    for (let seed = 0; seed < 20; seed++) {
      const { disk, hold } = makeDisk()
      const { life, store } = openOn(disk)
      hold()
      let isDone = false
      void store.writePeriod(makePeriod(3)).then(() => {
        isDone = true
      })
      await new Promise((resolve) => setImmediate(resolve))
      life.isOver = true
      disk.crash(new SimRandom(`crash ${seed}`))
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(isDone, false)
      const again = openOn(disk).store
      const isThere = (await again.readRange()) !== undefined
      assert.equal(await again.readHolding(3), undefined)
      assert.equal((await again.readChunk(3, 0)) !== undefined, isThere)
      outcomes.add(isThere)
    }
    assert.equal(outcomes.size, 2)
  })

  it('of what was not synced a crash leaves the first part', async () => {
    const left = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const { disk } = makeDisk()
      const { spool } = openOn(disk)
      await spool.putMark('a', Uint8Array.of(1))
      await spool.sync()
      await spool.putMark('b', Uint8Array.of(1))
      await spool.putMark('c', Uint8Array.of(1))
      disk.crash(new SimRandom(`crash ${seed}`))
      const again = openOn(disk).spool
      const names: string[] = []
      for (const name of ['a', 'b', 'c']) if (await again.readMark(name)) names.push(name)
      assert.equal(names.join(''), 'abc'.slice(0, names.length))
      left.add(names.length)
    }
    assert.deepEqual([...left].sort(), [1, 2, 3])
  })

  it('a full disk takes nothing and lets go all the same; damage is told and mended', async () => {
    const { disk } = makeDisk()
    const { store } = openOn(disk)
    await store.writePeriod(makePeriod(3))
    disk.isFull = true
    await assert.rejects(store.writePeriod(makePeriod(4)), hasCode('STORE_DISK_FULL'))
    await store.dropChunks(3, [1])
    assert.equal(await store.readChunk(3, 1), undefined)
    disk.isFull = false
    disk.damage(3, 2)
    await assert.rejects(store.readChunk(3, 2), hasCode('STORE_VALUE_CORRUPT'))
    await store.writePeriod(makePeriod(3))
    assert.deepEqual(await store.readChunk(3, 2), makePeriod(3).chunks[2])
    disk.wipe()
    assert.equal(await store.readRange(), undefined)
  })
})
