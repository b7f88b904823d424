import assert from 'node:assert/strict'
import { ERA_PERIODS, toHex } from '../../../core/index.ts'
import { openMemoryStore } from './audited-nodes.ts'
import {
  assertNothingGoes,
  CHUNKS,
  FINAL,
  FULL_BYTES,
  free,
  inEra,
  isOurs,
  keyOf,
  MIN_AGE,
  PERIODS,
  setUp,
} from './pruned-world.ts'

describe('storage-worker/replication: safe prune', () => {
  it('drops what three others each showed, oldest era first, until the disk is full to 90 %', async () => {
    const made = await setUp()
    const { prune, world, store, compacted, lines, nodes } = made
    const first = CHUNKS.filter((chunk) => inEra(0)(chunk) && !isOurs(chunk.hashSlot))
    const firstBytes = first.reduce((sum, { byteLength }) => sum + byteLength, 0)
    // A byte more than one era gives: two go.
    world.usedBytes = 900_000 + firstBytes + 1
    await prune.look()
    const gone = free((chunk) => chunk.period < 2 * ERA_PERIODS && !isOurs(chunk.hashSlot))
    assert.ok(gone.length > first.length && first.length > 0)
    assert.deepEqual(world.dropped, gone)
    assert.deepEqual(compacted, [0, 1])
    assert.ok(world.usedBytes <= 900_000)
    for (const chunk of CHUNKS) {
      const data = await store.readChunk(chunk.period, chunk.index)
      assert.equal(data === undefined, gone.includes(keyOf(chunk)), keyOf(chunk))
    }
    // Each by each of its holders, once.
    assert.equal(nodes.asked.length, 3 * gone.length)
    assert.equal(new Set(nodes.asked.map(({ peer, chunkId }) => `${peer} ${chunkId}`)).size, 3 * gone.length)
    const bytes = CHUNKS.filter((chunk) => gone.includes(keyOf(chunk))).reduce(
      (sum, { byteLength }) => sum + byteLength,
      0,
    )
    const [line] = lines
    assert.deepEqual(
      [line?.msg, line?.chunks, line?.sizeBytes, line?.eras, line?.replicas],
      ['chunks let go', gone.length, bytes, 2, 3],
    )
    assert.deepEqual(
      [prune.report().droppedChunks, prune.report().droppedBytes, prune.report().isFull],
      [gone.length, bytes, true],
    )
    // Enough.
    await prune.look()
    assert.equal(world.dropped.length, gone.length)
    assert.equal(prune.report().isFull, false)
  })

  it('with chunk 0 the SEALS go, without it they stay; execution results stay in any case: nobody gives them again', async () => {
    const made = await setUp()
    await made.prune.look()
    let withSeals = 0
    for (const { manifest, seals, executionResults } of PERIODS) {
      const isHeadGone = made.world.dropped.includes(keyOf({ period: manifest.period, index: 0 }))
      if (!isHeadGone) withSeals++
      assert.deepEqual(await made.store.readSeals(manifest.period), isHeadGone ? undefined : seals)
      assert.deepEqual(await made.store.readExecutionResults(manifest.period), executionResults)
    }
    assert.ok(withSeals > 0 && withSeals < PERIODS.length, `${withSeals}: make other periods`)
  })

  it('chunk 0 stays while one of its holders shows leaves of it and lacks the SEALS: the last ones never go', async () => {
    const made = await setUp()
    const unsealed = await openMemoryStore()
    for (const { manifest, chunks, summary } of PERIODS) {
      await unsealed.writePart({ manifest, operations: summary.operations, chunks: new Map(chunks.entries()) })
    }
    made.nodes.stores.set('B', unsealed)
    await made.prune.look()
    const heads = free(({ hashSlot, index }) => index === 0 && !isOurs(hashSlot))
    assert.ok(heads.length > 0)
    assert.equal(made.prune.report().kept.unshown, heads.length)
    assert.deepEqual(
      made.world.dropped,
      free(({ hashSlot, index }) => index > 0 && !isOurs(hashSlot)),
    )
    for (const { manifest, seals } of PERIODS) assert.deepEqual(await made.store.readSeals(manifest.period), seals)
  })

  it('lying peer: forged SEALS keep chunk 0 here, and cost it', async () => {
    const made = await setUp()
    const forged = await openMemoryStore()
    for (const period of PERIODS) {
      await forged.writePeriod({ ...period, seals: period.seals.map((byte, i) => (i < 25 ? byte : byte ^ 0xff)) })
    }
    made.nodes.stores.set('B', forged)
    await made.prune.look()
    assert.ok(made.world.dropped.length > 0)
    assert.ok(made.world.dropped.every((key) => !key.endsWith('/0')))
    assert.deepEqual([...new Set(made.world.liars)], ['B'])
  })

  it('below 90 % nothing goes, and nobody is asked', async () => {
    const made = await setUp()
    made.world.usedBytes = 900_000
    await assertNothingGoes(made)
    assert.deepEqual(made.nodes.asked, [])
    assert.equal(made.prune.report().isFull, false)
    made.world.usedBytes = 900_001
    await made.prune.look()
    assert.ok(made.world.dropped.length > 0)
  })

  it('without a quota nothing goes', async () => {
    const made = await setUp()
    await assertNothingGoes(made, undefined, made.open({ disk: { readArchiveRoom: async () => undefined } }))
  })

  it('a crash between drop and compaction: the next start compacts that era before anything else goes', async () => {
    const made = await setUp()
    const { world, compacted, prune } = made
    const first = free((chunk) => inEra(0)(chunk) && !isOurs(chunk.hashSlot))
    world.usedBytes = 900_001
    world.failCompaction = true
    await assert.rejects(prune.look(), { code: 'STORE_WRITE_FAILED' })
    assert.deepEqual(world.dropped, first)
    assert.deepEqual(compacted, [])
    // A new process: the disk seems as full as before.
    world.failCompaction = false
    const next = made.open()
    await next.look()
    assert.deepEqual(compacted, [0])
    assert.deepEqual(world.dropped, first)
    assert.equal(next.report().isFull, false)
    // Once is enough.
    await made.open().look()
    assert.deepEqual(compacted, [0])
  })

  it('a compaction that fails is made up for before more goes, without a restart too', async () => {
    const made = await setUp()
    const { world, compacted, prune } = made
    world.failCompaction = true
    await assert.rejects(prune.look(), { code: 'STORE_WRITE_FAILED' })
    const gone = world.dropped.length
    await assert.rejects(prune.look(), { code: 'STORE_WRITE_FAILED' })
    assert.equal(world.dropped.length, gone)
    world.failCompaction = false
    await prune.look()
    assert.deepEqual(compacted.slice(0, 2), [0, 1])
  })

  it('what is gone is not asked for, nor dropped, when its era is looked at again', async () => {
    const made = await setUp()
    const { world, prune, nodes } = made
    world.usedBytes = 10 * FULL_BYTES
    await prune.look()
    const [gone, asked] = [world.dropped.length, nodes.asked.length]
    assert.equal(gone, free((chunk) => !isOurs(chunk.hashSlot)).length)
    world.finalPeriod = FINAL + 6_000
    await prune.look()
    assert.deepEqual([world.dropped.length, nodes.asked.length], [gone, asked])
  })

  it('an era of which something stayed is looked at again 40 periods later, not before', async () => {
    const made = await setUp()
    const { world, prune } = made
    world.connected.delete('C')
    await assertNothingGoes(made, 'unshown')
    world.connected.add('C')
    world.finalPeriod = FINAL + 39
    await prune.look()
    assert.deepEqual(world.dropped, [])
    world.finalPeriod = FINAL + 40
    await prune.look()
    assert.ok(world.dropped.length > 0)
  })

  it('drops go on after a failure of the store, and stop ends them', async () => {
    const made = await setUp()
    const { world, prune, clock } = made
    world.failCompaction = true
    const running = prune.start()
    for (let turn = 0; turn < 5_000 && world.failures.length < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    world.failCompaction = false
    for (
      let turn = 0;
      turn < 20_000 && world.dropped.length < free((chunk) => !isOurs(chunk.hashSlot)).length;
      turn++
    ) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    await prune.stop()
    await running
    assert.ok(world.failures.length >= 2)
    assert.equal(world.dropped.length, free((chunk) => !isOurs(chunk.hashSlot)).length)
    const stoppedMs = clock.timeMs
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(clock.timeMs, stoppedMs)
  })

  it('an era goes in its turn of 37,800 periods alone', async () => {
    const made = await setUp()
    const spread = 37_800
    const turns = new Map<number, number>()
    const { world } = made
    const prune = made.open({}, spread)
    for (let passed = 0; passed < spread + 200; passed += 100) {
      world.finalPeriod = FINAL + passed
      world.usedBytes = FULL_BYTES
      const before = made.compacted.length
      await prune.look()
      for (const era of made.compacted.slice(before)) turns.set(era, passed)
    }
    assert.deepEqual(
      [...turns.keys()].sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
    assert.ok(new Set(turns.values()).size >= 3, [...turns.values()].join())
  })

  it('chunks of an era have been asked for, none of a young one', async () => {
    const made = await setUp()
    made.world.finalPeriod = 2 * ERA_PERIODS + MIN_AGE + 5
    await made.prune.look()
    const young = new Set(
      PERIODS.filter(({ manifest }) => manifest.period > 2 * ERA_PERIODS + 5).flatMap(({ manifest }) =>
        manifest.chunks.map(({ chunkId }) => toHex(chunkId)),
      ),
    )
    assert.ok(made.nodes.asked.length > 0)
    assert.ok(made.nodes.asked.every(({ chunkId }) => !young.has(chunkId)))
  })
})
