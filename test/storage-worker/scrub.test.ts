import assert from 'node:assert/strict'
import type { Clock } from '../../core/index.ts'
import { type Damage, LevelChunkStore, Scrub } from '../../storage-worker/index.ts'
import { encodeBodyKey, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { makePeriod, noise, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel } from './temp-store.ts'

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

  /** Time passes by sleeping only. */
  function makeClock(): Clock & { slept: number } {
    return {
      slept: 0,
      nowMs() {
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
