import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ArchiveError, type Clock } from '../../core/index.ts'
import { type Damage, LevelChunkStore, LevelSpool, Scrub } from '../../storage-worker/index.ts'
import { encodeBodyKey, keyspaceRange, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { placeKey, summaryKey } from '../../storage-worker/period-index.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { makeBlock, makePeriod, noise, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel, openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describe('storage-worker/scrub', () => {
  let store: LevelChunkStore
  let bytes: number
  beforeEach(async () => {
    store = new LevelChunkStore(TEST_IDENTITY, {
      bodies: await openMemoryLevel('bodies'),
      index: await openMemoryLevel('index'),
    })
    bytes = 0
    for (let number = 0; number < 30; number++) await store.writePeriod(makePeriod(number))
    for await (const [, value] of store.bodies.entries({})) bytes += value.length
  })

  afterEach(() => folders.clean())

  /** Time passes by sleeping only. */
  function makeClock(): Clock & { slept: number } {
    return {
      slept: 0,
      nowMs() {
        return this.slept
      },
      monotonicMs() {
        return this.slept
      },
      async sleep(durationMs, signal) {
        if (!signal?.aborted) this.slept += durationMs
        await Promise.resolve()
      },
    }
  }

  function makeScrub(clock: Clock, damages: Damage[], roundMs = 86_400_000): Scrub {
    return new Scrub(
      { onDamage: (damage) => damages.push(damage), roundMs },
      { store, clock, readUsedBytes: async () => bytes * 1e6 },
    )
  }

  it('reads every value of an intact archive and reports nothing', async () => {
    const damages: Damage[] = []
    assert.deepEqual(await makeScrub(makeClock(), damages).runRound(0), { bytes, periods: 30 })
    assert.deepEqual(damages, [])
  })

  it('takes half a day for what a day is given, in proportion to bytes', async () => {
    const clock = makeClock()
    await makeScrub(clock, [], 864_000_000).runRound(0)
    // A millionth of the disk is the archive: a millionth of half of the round. Up to 50 ms are not slept yet.
    const want = 864_000_000 / 2 / 1e6
    assert.ok(clock.slept <= want && clock.slept > want - 50, `${clock.slept}`)
  })

  it('reports flipped, missing and unparsable values by name', async () => {
    const damages: Damage[] = []
    const torn = Uint8Array.from((await store.bodies.get(encodeBodyKey(3, 1))) ?? [])
    torn[99] = (torn[99] ?? 0) ^ 1
    await store.bodies.write(
      [
        { type: 'put', key: encodeBodyKey(3, 1), value: torn },
        { type: 'del', key: encodeBodyKey(4, 0) },
        { type: 'put', key: encodeBodyKey(5, SEALS), value: noise('x', 99) },
        { type: 'put', key: encodeBodyKey(6, MANIFEST), value: sealValue(noise('x', 99)) },
      ],
      { sync: true },
    )
    await makeScrub(makeClock(), damages).runRound(0)
    assert.deepEqual(
      damages.map(({ period, what, code }) => `${period} ${what} ${code}`),
      [
        '3 chunk 1 STORE_VALUE_CORRUPT',
        '4 chunk 0 STORE_VALUE_MISSING',
        '5 seals STORE_VALUE_CORRUPT',
        '6 manifest CORE_MANIFEST_INVALID',
      ],
    )
  })

  it('deletes a body whose index is not in its manifest', async () => {
    const damages: Damage[] = []
    const count = makePeriod(7).chunks.length
    await store.bodies.write([{ type: 'put', key: encodeBodyKey(7, count), value: sealValue(noise('x', 9)) }], {
      sync: true,
    })
    await makeScrub(makeClock(), damages).runRound(0)
    assert.deepEqual(
      damages.map(({ code, repaired }) => [code, repaired]),
      [['STORE_VALUE_ORPHANED', true]],
    )
    assert.equal(await store.bodies.get(encodeBodyKey(7, count)), undefined)
    assert.ok(await store.bodies.get(encodeBodyKey(7, count - 1)))
  })

  it('reports index entries that are missing or damaged, in the spool too', async () => {
    const damages: Damage[] = []
    const spool = new LevelSpool(store.index)
    const block = makeBlock({ period: 50, thread: 2 })
    await spool.putBlock(block)
    await spool.putMark('holes', noise('m', 50))
    const [chunk] = makePeriod(8).manifest.chunks
    assert.ok(chunk)
    const torn = Uint8Array.from((await store.index.get(summaryKey(9))) ?? [])
    torn[40] = (torn[40] ?? 0) ^ 1
    await store.index.write(
      [
        { type: 'del', key: placeKey({ chunkId: chunk.chunkId, period: 8, index: 0 }) },
        { type: 'put', key: summaryKey(9), value: torn },
      ],
      { sync: true },
    )
    for (const keyspace of ['spoolBlocks', 'marks'] as const) {
      for await (const [key, value] of store.index.entries(keyspaceRange(keyspace))) {
        const flipped = Uint8Array.from(value)
        flipped[40] = (flipped[40] ?? 0) ^ 1
        await store.index.write([{ type: 'put', key, value: flipped }], { sync: true })
      }
    }
    await makeScrub(makeClock(), damages).runRound(0)
    assert.deepEqual(
      damages.map(({ period, what, code }) => `${period} ${what} ${code}`),
      [
        '8 index STORE_INDEX_WRONG',
        '9 index STORE_INDEX_WRONG',
        '50 spool blocks STORE_VALUE_CORRUPT',
        'undefined marks STORE_VALUE_CORRUPT',
      ],
    )
  })

  it('takes a period whose index entries are still to be written for no damage', async () => {
    const damages: Damage[] = []
    const writes: Promise<void>[] = []
    const clock = makeClock()
    const sleep = clock.sleep.bind(clock)
    let next = 30
    clock.sleep = async (durationMs, signal) => {
      if (next < 60) writes.push(store.writePeriod(makePeriod(next++)))
      await sleep(durationMs, signal)
    }
    // Slow enough that it sleeps after every period.
    await makeScrub(clock, damages, 1e12).runRound(0)
    await Promise.all(writes)
    assert.ok(next > 30)
    assert.deepEqual(damages, [])
  })

  for (const name of ['bodies', 'index'] as const) {
    it(`names a damaged table of ${name}, and reads nothing through LevelDB then`, async () => {
      const dataDir = await folders.make()
      const first = await openTestStore(dataDir)
      for (let number = 0; number < 4; number++) await first.chunks.writePeriod(makePeriod(number))
      await first.close()
      // Opening turns the log into a table.
      const opened = await openTestStore(dataDir)
      try {
        const file = readdirSync(join(dataDir, name)).find((entry) => entry.endsWith('.ldb'))
        assert.ok(file)
        const bytes = readFileSync(join(dataDir, name, file))
        bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
        writeFileSync(join(dataDir, name, file), bytes)
        const damages: Damage[] = []
        const scrub = new Scrub(
          { onDamage: (damage) => damages.push(damage) },
          {
            store: opened.chunks,
            clock: makeClock(),
            readUsedBytes: async () => 1e6,
            checkFiles: () => opened.checkFiles(false),
          },
        )
        assert.equal((await scrub.runRound(0)).periods, 0)
        assert.deepEqual(
          damages.map(({ what, code }) => [what, code]),
          [[`${name}/${file}`, 'STORE_DATABASE_DAMAGED']],
        )
      } finally {
        await opened.close()
      }
    })
  }

  it('error: rejects with the bug that ended it', async () => {
    for (const bug of [new TypeError('no function'), new ArchiveError('STORE_CLOSED', 'closed')]) {
      const readUsedBytes = () => Promise.reject(bug)
      const scrub = new Scrub({ onDamage: () => assert.fail('damage') }, { store, clock: makeClock(), readUsedBytes })
      await assert.rejects(scrub.start(), (error) => error === bug)
    }
  })

  it('reports a database that cannot be read, also where it asks for its own place, and goes on', async () => {
    const damages: Damage[] = []
    let rounds = 0
    let reads = 0
    const { get } = store.index
    store.index.get = async (key) => {
      if (++reads === 1) throw new ArchiveError('STORE_READ_FAILED', 'injected')
      return get.call(store.index, key)
    }
    await new Promise<void>((resolve, reject) => {
      const scrub = new Scrub(
        {
          onDamage: (damage) => damages.push(damage),
          onRound: () => {
            rounds++
            void scrub.stop().then(resolve)
          },
        },
        { store, clock: makeClock(), readUsedBytes: async () => bytes },
      )
      scrub.start().catch(reject)
    })
    assert.equal(rounds, 1)
    assert.deepEqual(
      damages.map(({ what, code }) => [what, code]),
      [['database files', 'STORE_READ_FAILED']],
    )
  })

  it('goes round and round until it is stopped', async () => {
    let rounds = 0
    let enough: () => void = () => undefined
    const twice = new Promise<void>((resolve) => {
      enough = resolve
    })
    const scrub = new Scrub(
      { onDamage: () => assert.fail('damage'), onRound: () => (++rounds === 2 ? enough() : undefined) },
      { store, clock: makeClock(), readUsedBytes: async () => bytes },
    )
    scrub.start()
    await twice
    await scrub.stop()
    await scrub.stop()
    assert.ok(rounds >= 2)
  })
})
