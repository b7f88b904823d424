import assert from 'node:assert/strict'
import { computeHashSlot, ERA_PERIODS } from '../../../core/index.ts'
import { ChunkDraw } from '../../../storage-worker/replication/chunk-draw.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { drawWholes, MadePeriods } from './audited-nodes.ts'

const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
const HOUR_MS = 3_600_000

describe('storage-worker/replication: chunks are drawn by byte', () => {
  function open(store: MadePeriods, seed = SEED) {
    const clock = new SetClock()
    return { clock, draws: new ChunkDraw({ store, clock, random: drawWholes(seed) }) }
  }

  /** How often each chunk was drawn, as `period/index`. */
  async function drawMany(draws: ChunkDraw, times: number, isWanted: (chunk: { hashSlot: number }) => boolean) {
    const counts = new Map<string, number>()
    for (let i = 0; i < times; i++) {
      const chunk = await draws.draw(isWanted)
      assert.ok(chunk)
      const key = `${chunk.period}/${chunk.index}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  }

  /** No count is farther than five standard deviations from what the bytes say. */
  function assertByBytes(store: MadePeriods, counts: Map<string, number>, isWanted: (id: Uint8Array) => boolean) {
    const wanted = [...store.manifests.values()].flatMap(({ period, chunks }) =>
      chunks.flatMap(({ byteLength, chunkId }, i) =>
        isWanted(chunkId) ? [{ key: `${period}/${i}`, byteLength }] : [],
      ),
    )
    const total = wanted.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const times = [...counts.values()].reduce((sum, count) => sum + count, 0)
    for (const { key, byteLength } of wanted) {
      const share = byteLength / total
      const deviation = Math.sqrt(times * share * (1 - share))
      const off = Math.abs((counts.get(key) ?? 0) - times * share)
      assert.ok(off <= 5 * deviation, `${key}: ${counts.get(key)} of ${times}, share ${share}, seed ${SEED}`)
    }
  }

  /** Sizes from 1 byte to 300 kB, eras of one period and of many, and eras without any. */
  function makeSkewed(): MadePeriods {
    const store = new MadePeriods()
    for (let period = 0; period < 30; period++) store.put(period, [1 + period * 40])
    store.put(3 * ERA_PERIODS, [100_000, 100_000, 100_000, 5_000])
    store.put(9 * ERA_PERIODS + 127, [1])
    for (let i = 0; i < 5; i++) store.put(12 * ERA_PERIODS + 20 * i, [20_000, 20_000, 1 + 4_000 * i])
    return store
  }

  it(`each byte is as likely as any other, whatever period and era it is in (seed ${SEED})`, async () => {
    const store = makeSkewed()
    const { draws } = open(store)
    assertByBytes(store, await drawMany(draws, 6_000, () => true), () => true)
  })

  it(`the same among the chunks that are wanted (seed ${SEED})`, async () => {
    const store = makeSkewed()
    const { draws } = open(store)
    const counts = await drawMany(draws, 4_000, ({ hashSlot }) => hashSlot % 3 === 0)
    assertByBytes(store, counts, (chunkId) => computeHashSlot(chunkId) % 3 === 0)
    assert.ok(counts.size > 3)
  })

  it(`the same for periods that came later, at both ends and in the middle of an era (seed ${SEED})`, async () => {
    const store = new MadePeriods()
    for (let period = 600; period < 640; period++) store.put(period, [500])
    const { draws } = open(store)
    await drawMany(draws, 10, () => true)
    for (let period = 640; period < 700; period++) store.put(period, [900])
    for (let period = 300; period < 310; period++) store.put(period, [3_000])
    assertByBytes(store, await drawMany(draws, 4_000, () => true), () => true)
  })

  it('an era that was filled in the middle counts when everything is counted again', async () => {
    const store = new MadePeriods()
    store.put(5, [10])
    store.put(5_000, [10])
    const { draws, clock } = open(store)
    await drawMany(draws, 10, () => true)
    store.put(1_000, [1_000_000])
    assert.equal((await drawMany(draws, 50, () => true)).has('1000/0'), false)
    clock.timeMs += 24 * HOUR_MS
    assert.ok((await drawMany(draws, 50, () => true)).has('1000/0'))
  })

  it('what was deleted is not drawn', async () => {
    const store = makeSkewed()
    const { draws } = open(store)
    await drawMany(draws, 10, () => true)
    for (const period of [...store.manifests.keys()]) if (period < 12 * ERA_PERIODS) store.manifests.delete(period)
    const counts = await drawMany(draws, 100, () => true)
    for (const key of counts.keys()) assert.ok(Number(key.split('/')[0]) >= 12 * ERA_PERIODS, key)
  })

  it('an empty archive, or one without a wanted chunk, gives none', async () => {
    const store = new MadePeriods()
    const { draws } = open(store)
    assert.equal(await draws.draw(() => true), undefined)
    store.put(7, [10])
    assert.equal(await draws.draw(() => false), undefined)
    assert.equal((await draws.draw(() => true))?.period, 7)
  })

  it('a draw reads one era, however many there are', async () => {
    const store = new MadePeriods()
    for (let era = 0; era < 400; era++) store.put(era * ERA_PERIODS, [1_000])
    const { draws } = open(store)
    await draws.draw(() => true)
    store.summariesRead = 0
    await drawMany(draws, 20, () => true)
    assert.equal(store.summariesRead, 20)
  })
})
