import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { GuardedLevel, type LevelOperation } from '../../storage-worker/guarded-level.ts'
import { LevelChunkStore, verifyArchive } from '../../storage-worker/index.ts'
import { summaryKey } from '../../storage-worker/period-index.ts'
import { type Chained, createFaultyLevels, type OnBatch } from '../fault/faulty-level.ts'
import { assertHolds, hasCode } from '../suites/chunk-store-suite.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { createMemoryLevel, openTestStore, TempFolders } from './temp-store.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const put = (...key: number[]) => [{ type: 'put' as const, key: bytes(...key), value: bytes(1) }]
const SYNC = { sync: true }

const FAILURES: [string, Error, string][] = [
  ['EIO', new Error('IO error: 000003.log: Input/output error'), 'STORE_WRITE_FAILED'],
  ['ENOSPC of LevelDB', new Error('IO error: 000003.log: No space left on device'), 'STORE_DISK_FULL'],
  ['ENOSPC of Node', Object.assign(new Error('write'), { code: 'ENOSPC' }), 'STORE_DISK_FULL'],
]

describe('storage-worker/guarded-level', () => {
  /** A database in memory that tells what happens to it. */
  async function open(onBatch: OnBatch) {
    const events: string[] = []
    const memory = createMemoryLevel()
    const create = createFaultyLevels(
      (event) => {
        if (!event.done) events.push('write')
        onBatch(event)
      },
      () => memory,
    )
    // Wrapped once: the same memory is opened again.
    const level = create('', {})
    const close = level.close.bind(level)
    const reopen = level.open.bind(level)
    Object.assign(level, {
      close: () => {
        events.push('close')
        return close()
      },
      open: () => {
        events.push('open')
        return reopen()
      },
    })
    let full = 0
    const guarded = await GuardedLevel.open({
      name: 'test',
      create: () => level,
      onDiskFull: async () => {
        full++
      },
    })
    return { guarded, events, fullCount: () => full }
  }

  /** A database in memory that remembers what was written at once. */
  async function openRecorded() {
    const batches: { keys: number[]; sync: boolean }[] = []
    const level = createMemoryLevel()
    const begin = level.batch.bind(level) as unknown as () => Chained
    const recorded = () => {
      const batch = begin()
      const { put, del, _write } = batch
      let keys: number[] = []
      return Object.assign(batch, {
        put: (key: Uint8Array, value: Uint8Array) => [keys.push(key[0] ?? -1), put.call(batch, key, value)],
        del: (key: Uint8Array) => [keys.push(key[0] ?? -1), del.call(batch, key)],
        _write: (options: { readonly sync: boolean }) => {
          batches.push({ keys, sync: options.sync })
          keys = []
          return _write.call(batch, options)
        },
      })
    }
    Object.assign(level, { batch: recorded })
    return { batches, guarded: await GuardedLevel.open({ name: 'test', create: () => level }) }
  }

  for (const [name, failure, code] of FAILURES) {
    it(`takes no write after ${name} in a batch of several pieces until it was opened again`, async () => {
      const sliced: number[] = []
      const { guarded, events, fullCount } = await open(({ count, done, isSliced }) => {
        if (isSliced && !done) sliced.push(count)
        if (count === 2 && !done) throw failure
      })
      const large = (key: number) => [...put(key), { ...put(key, 0)[0], value: new Uint8Array(1024 * 1024) }]
      await guarded.write(put(1), SYNC)
      await assert.rejects(guarded.write(large(2) as LevelOperation[], SYNC), hasCode(code))
      assert.equal(guarded.isBroken, true)
      assert.equal(await guarded.get(bytes(2)), undefined)
      await guarded.write(large(3) as LevelOperation[], SYNC)
      assert.deepEqual(sliced, [2, 3])
      assert.deepEqual(events, ['open', 'write', 'write', 'close', 'open', 'write'])
      assert.equal((await guarded.get(bytes(3, 0)))?.length, 1024 * 1024)
      assert.equal(fullCount(), code === 'STORE_DISK_FULL' ? 1 : 0)
    })

    it(`takes no write after ${name} until it was closed and opened again`, async () => {
      const { guarded, events, fullCount } = await open(({ count, done }) => {
        if (count === 2 && !done) throw failure
      })
      await guarded.write(put(1), SYNC)
      // What is queued behind the failed write must wait for the reopening too.
      const failed = guarded.write(put(2), SYNC)
      failed.catch(() => undefined)
      while (events.length < 3) await setImmediate()
      const results = await Promise.allSettled([failed, guarded.write(put(3), SYNC), guarded.write(put(4), SYNC)])
      assert.deepEqual(
        results.map(({ status }) => status),
        ['rejected', 'fulfilled', 'fulfilled'],
      )
      assert.ok(results[0]?.status === 'rejected')
      hasCode(code)(results[0].reason)
      assert.deepEqual(events, ['open', 'write', 'write', 'close', 'open', 'write'])
      assert.equal(fullCount(), code === 'STORE_DISK_FULL' ? 1 : 0)
      assert.equal(guarded.isBroken, false)
    })
  }

  it('writes what waits as one batch, in its order, synced when one of it is', async () => {
    const { batches, guarded } = await openRecorded()
    const del = [{ type: 'del' as const, key: bytes(2) }]
    await Promise.all([
      guarded.write(put(1), { sync: false }),
      guarded.write(put(2), { sync: false }),
      guarded.write(del, SYNC),
      guarded.write(put(3), { sync: false }),
    ])
    await guarded.write(put(4), { sync: false })
    assert.deepEqual(batches, [
      { keys: [1, 2, 2, 3], sync: true },
      { keys: [4], sync: false },
    ])
    assert.equal(await guarded.get(bytes(2)), undefined)
  })

  it('writes what one turn of the event loop brings unsynced as one batch, and waits for no more', async () => {
    const { batches, guarded } = await openRecorded()
    const first = guarded.write(put(1), { sync: false })
    for (let i = 0; i < 20; i++) await Promise.resolve()
    const second = guarded.write(put(2), { sync: false })
    await first
    await second
    await guarded.write(put(3), { sync: false })
    assert.deepEqual(
      batches.map(({ keys }) => keys),
      [[1, 2], [3]],
    )
  })

  it('limit: joins writes up to 1 MiB, and writes a larger one alone', async () => {
    const { batches, guarded } = await openRecorded()
    const large = (key: number, size: number) => [
      { type: 'put' as const, key: bytes(key), value: new Uint8Array(size) },
    ]
    const half = 512 * 1024 - 1
    const sizes = [half, half, half, half + 1, 2 * 1024 * 1024, 10]
    await Promise.all(sizes.map((size, key) => guarded.write(large(key, size), SYNC)))
    assert.deepEqual(
      batches.map(({ keys }) => keys),
      [[0, 1], [2], [3], [4], [5]],
    )
  })

  it('fills the next batch while the last one is written, and takes what comes until then', async () => {
    const memory = createMemoryLevel()
    const begun: Chained[] = []
    const events: string[] = []
    let finish: () => void = () => undefined
    const begin = memory.batch.bind(memory) as unknown as () => Chained
    const level = Object.assign(memory, {
      batch: () => {
        const batch = begin()
        const number = begun.push(batch)
        const { put, _write } = batch
        return Object.assign(batch, {
          put: (key: Uint8Array, value: Uint8Array) => [
            events.push(`${number}: ${key[0]}`),
            put.call(batch, key, value),
          ],
          _write: async (options: { readonly sync: boolean }) => {
            events.push(`${number} writes`)
            await new Promise<void>((resolve) => {
              finish = resolve
            })
            await _write.call(batch, options)
          },
        })
      },
    })
    const guarded = await GuardedLevel.open({ name: 'test', create: () => level })
    const writes = [1, 2, 3].map((key) => guarded.write(put(key), SYNC))
    const settle = async () => {
      for (let i = 0; i < 5; i++) await setImmediate()
    }
    await settle()
    const later = guarded.write(put(4), SYNC)
    await settle()
    const last = guarded.write(put(5), SYNC)
    await settle()
    assert.deepEqual(events, ['1: 1', '1: 2', '1: 3', '1 writes', '2: 4', '2: 5'])
    finish()
    await Promise.all(writes)
    await settle()
    assert.deepEqual(events.splice(0), ['1: 1', '1: 2', '1: 3', '1 writes', '2: 4', '2: 5', '2 writes'])
    finish()
    await Promise.all([later, last])
    const again = guarded.write(put(6), SYNC)
    await settle()
    finish()
    await again
    assert.deepEqual(events, ['1: 6', '1 writes'], 'the memory of the first batch is used again')
    assert.equal(begun.length, 2)
    assert.deepEqual(await guarded.get(bytes(5)), bytes(1))
  })

  it('fills anew in the opened database what was filled before the last write failed', async () => {
    let walks = 0
    const { guarded, events } = await open(({ count, done }) => {
      if (count === 1 && !done) throw new Error('Input/output error')
    })
    const large = (key: number) => ({ type: 'put' as const, key: bytes(key), value: new Uint8Array(1024 * 1024) })
    const counted = {
      sizeBytes: 1024 * 1024 + 1,
      *[Symbol.iterator]() {
        walks++
        yield large(2)
      },
    }
    const results = await Promise.allSettled([guarded.write([large(1)], SYNC), guarded.write(counted, SYNC)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
    assert.equal(walks, 2)
    assert.deepEqual(events, ['open', 'write', 'close', 'open', 'write'])
    assert.equal(await guarded.get(bytes(1)), undefined)
    assert.equal((await guarded.get(bytes(2)))?.length, 1024 * 1024)
  })

  it('writes what waits when it is closed', async () => {
    const { batches, guarded } = await openRecorded()
    const written = [1, 2].map((key) =>
      guarded.write([{ ...put(key)[0], value: new Uint8Array(1024 * 1024) } as never], SYNC),
    )
    await guarded.close()
    await Promise.all(written)
    assert.deepEqual(batches.length, 2)
  })

  it('tells every writer of a batch that failed', async () => {
    const { guarded } = await open(({ count, done }) => {
      if (count === 1 && !done) throw new Error('Input/output error')
    })
    const results = await Promise.allSettled([1, 2].map((key) => guarded.write(put(key), SYNC)))
    for (const result of results) {
      assert.ok(result.status === 'rejected')
      hasCode('STORE_WRITE_FAILED')(result.reason)
    }
    assert.equal(await guarded.get(bytes(2)), undefined)
  })

  it('takes no write when the reopening fails, and tries again at the next', async () => {
    const memory = createMemoryLevel()
    let opened = 0
    let writes = 0
    const level = createFaultyLevels(
      ({ done }) => {
        if (!done && ++writes === 1) throw new Error('Input/output error')
      },
      () => memory,
    )('', {})
    const reopen = level.open.bind(level)
    Object.assign(level, {
      open: async () => {
        if (++opened === 2) throw new Error('No space left on device')
        await reopen()
      },
    })
    const guarded = await GuardedLevel.open({ name: 'test', create: () => level })
    await assert.rejects(guarded.write(put(1), SYNC), hasCode('STORE_WRITE_FAILED'))
    await assert.rejects(guarded.write(put(1), SYNC), hasCode('STORE_DISK_FULL'))
    assert.equal(writes, 1)
    await guarded.write(put(1), SYNC)
    assert.equal(writes, 2)
    assert.deepEqual(await guarded.get(bytes(1)), bytes(1))
  })

  it('gives the reason of the reopening that failed to who reads meanwhile: a full disk is no damage', async () => {
    const level = createMemoryLevel()
    const open = level.open.bind(level)
    let isFull = false
    const full = () => Object.assign(new Error('write'), { code: 'ENOSPC' })
    const create = createFaultyLevels(
      () => {
        if (isFull) throw full()
      },
      () => level,
    )
    const faulty = create('', {})
    Object.assign(faulty, { open: () => (isFull ? Promise.reject(full()) : open()) })
    const guarded = await GuardedLevel.open({ name: 'test', create: () => faulty })
    await guarded.write(put(1), SYNC)
    isFull = true
    for (let i = 0; i < 2; i++) await assert.rejects(guarded.write(put(2), SYNC), hasCode('STORE_DISK_FULL'))
    const readAll = async () => {
      for await (const _ of guarded.keys({})) return
    }
    await assert.rejects(guarded.get(bytes(1)), hasCode('STORE_DISK_FULL'))
    await assert.rejects(guarded.getMany([bytes(1)]), hasCode('STORE_DISK_FULL'))
    await assert.rejects(readAll(), hasCode('STORE_DISK_FULL'))
    isFull = false
    await guarded.write(put(3), SYNC)
    assert.deepEqual(await guarded.get(bytes(1)), bytes(1))
    await readAll()
    await guarded.close()
  })

  it('reads on while it is broken, and a walk goes on behind a reopening', async () => {
    const { guarded } = await open(({ count, done }) => {
      if (count === 2 && !done) throw new Error('Input/output error')
    })
    await guarded.write(
      Array.from({ length: 200 }, (_, i) => ({ type: 'put' as const, key: bytes(7, i), value: bytes(i) })),
      SYNC,
    )
    for (const reverse of [false, true]) {
      const seen: number[] = []
      for await (const [key] of guarded.entries({ gte: bytes(7), lt: bytes(8), reverse })) {
        seen.push(key[1] ?? -1)
        if (seen.length === 40 && !reverse) {
          await assert.rejects(guarded.write(put(1), SYNC))
          assert.deepEqual(await guarded.get(bytes(7, 3)), bytes(3))
          await guarded.write(put(1), SYNC)
        }
      }
      const want = Array.from({ length: 200 }, (_, i) => i)
      assert.deepEqual(seen, reverse ? want.reverse() : want)
    }
  })

  it('walks from either end, up to a limit', async () => {
    const { guarded } = await open(() => undefined)
    for (let i = 0; i < 9; i++) await guarded.write(put(7, i), SYNC)
    const keys = async (range: object) => {
      const all: number[] = []
      for await (const key of guarded.keys({ gte: bytes(7), lt: bytes(7, 8), ...range })) all.push(key[1] ?? -1)
      return all
    }
    assert.deepEqual(await keys({}), [0, 1, 2, 3, 4, 5, 6, 7])
    assert.deepEqual(await keys({ limit: 3 }), [0, 1, 2])
    assert.deepEqual(await keys({ limit: 2, reverse: true }), [7, 6])
    assert.deepEqual(await keys({ limit: 0 }), [])
  })
})

describe('storage-worker: a store whose disk refuses the n-th write', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  for (const [name, failure, code] of FAILURES.slice(0, 2)) {
    it(`goes on after ${name} at every write step, and loses nothing acknowledged`, async function () {
      this.timeout(60_000)
      // Above 1 MiB: written in pieces.
      const large = { operations: 3, blocks: 1, operationBytes: 360_000 }
      const periods = [1, 2, 5, 3].map((number) => makePeriod(number, number === 5 ? large : {}))
      const block = makeBlock({ period: 9, thread: 0 }, large)
      let failedInPieces = 0
      for (let failAt = 1; failAt <= 14; failAt++) {
        const dataDir = await folders.make()
        let opening = Number.POSITIVE_INFINITY
        let last = 0
        const createLevel = createFaultyLevels(({ count, done, isSliced }) => {
          last = count
          if (count !== opening + failAt || done) return
          if (isSliced) failedInPieces++
          throw failure
        })
        const store = await openTestStore(dataDir, { createLevel })
        // What opening itself writes may fail without anybody being told.
        opening = last
        let failures = 0
        const insist = async (task: () => Promise<void>) => {
          try {
            await task()
          } catch (error) {
            hasCode(code)(error)
            failures++
            await task()
          }
        }
        await insist(() => store.spool.putBlock(block))
        for (const period of periods) await insist(() => store.chunks.writePeriod(period))
        await insist(() => store.spool.sync())
        await insist(() => store.chunks.deletePeriods(0, 1))
        assert.equal(failures, 1, `step ${failAt}`)
        await store.close()
        const after = await openTestStore(dataDir)
        assert.deepEqual((await verifyArchive(after.chunks, { deep: true, threads: 0 })).damages, [])
        for (const period of periods.slice(1)) await assertHolds(after.chunks, period)
        assert.deepEqual(await after.spool.readBlock(block.slot, block.id), block)
        await after.close()
      }
      assert.equal(failedInPieces, 2)
    })
  }

  it('indexes with the next period one that is on disk although its write failed', async () => {
    const memory = createMemoryLevel()
    const failing = createFaultyLevels(
      ({ count, done }) => {
        if (count === 1 && done) throw new Error('Input/output error')
      },
      () => memory,
    )('', {})
    const bodies = await GuardedLevel.open({ name: 'bodies', create: () => failing })
    const index = await GuardedLevel.open({ name: 'index', create: createMemoryLevel })
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
    // Too large to go together: the second is filled while the first is written.
    const large = { operations: 3, blocks: 1, operationBytes: 360_000 }
    const [first, second] = [makePeriod(1, large), makePeriod(2, large)]
    const results = await Promise.allSettled([store.writePeriod(first), store.writePeriod(second)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
    await assertHolds(store, first)
    await assertHolds(store, second)
    assert.ok(await index.get(summaryKey(1)))
    await store.writePeriod(first)
    await assertHolds(store, first)
  })

  it('writes a period again as the newest one after it failed, without naming it as out of order', async () => {
    const memory = createMemoryLevel()
    const failing = createFaultyLevels(
      ({ count, done }) => {
        if (count === 1 && !done) throw new Error('Input/output error')
      },
      () => memory,
    )('', {})
    const bodies = await GuardedLevel.open({ name: 'bodies', create: () => failing })
    let indexBatches = 0
    const indexLevel = createMemoryLevel()
    const counted = createFaultyLevels(
      ({ done }) => {
        if (!done) indexBatches++
      },
      () => indexLevel,
    )('', {})
    const index = await GuardedLevel.open({ name: 'index', create: () => counted })
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
    await assert.rejects(store.writePeriod(makePeriod(1)), hasCode('STORE_WRITE_FAILED'))
    await store.writePeriod(makePeriod(1))
    await assertHolds(store, makePeriod(1))
    assert.equal(indexBatches, 1)
  })

  it('brings the index of a period back with the next one when only its index failed', async () => {
    const bodies = await GuardedLevel.open({ name: 'bodies', create: createMemoryLevel })
    const memory = createMemoryLevel()
    const level = createFaultyLevels(
      ({ count, done }) => {
        if (count === 1 && !done) throw new Error('Input/output error')
      },
      () => memory,
    )('', {})
    const index = await GuardedLevel.open({ name: 'index', create: () => level })
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
    await assert.rejects(store.writePeriod(makePeriod(1)), hasCode('STORE_WRITE_FAILED'))
    await store.writePeriod(makePeriod(2))
    await assertHolds(store, makePeriod(1))
    await assertHolds(store, makePeriod(2))
  })
})
