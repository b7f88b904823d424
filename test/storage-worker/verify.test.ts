import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { concatBytes, toHex } from '../../core/index.ts'
import { LevelChunkStore, LevelSpool, type VerifyReport, verifyArchive } from '../../storage-worker/index.ts'
import { EXECUTION_RESULTS, encodeBodyKey, keyspaceRange, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { placeKey, summaryKey } from '../../storage-worker/period-index.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { assertHolds, hasCode } from '../suites/chunk-store-suite.ts'
import { makeBlock, makePeriod, noise, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel, openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()
const PERIODS = [3, 4, 5, 9]

describe('storage-worker/verify', () => {
  let store: LevelChunkStore
  beforeEach(async () => {
    store = await makeStore()
    for (const number of PERIODS) await store.writePeriod(makePeriod(number))
  })
  afterEach(() => folders.clean())

  for (const deep of [false, true]) {
    it(`finds nothing in an intact archive and counts it${deep ? ', deep' : ''}`, async () => {
      const seen: number[] = []
      const report = await verifyArchive(store, { deep }, ({ period }) => seen.push(period))
      assert.deepEqual(report.damages, [])
      assert.equal(report.periods, 4)
      assert.equal(
        report.chunks,
        PERIODS.reduce((sum, number) => sum + makePeriod(number).chunks.length, 0),
      )
      assert.deepEqual(report.gaps, [{ from: 6, to: 8 }])
      assert.deepEqual(seen, PERIODS)
    })
  }

  it('looks at the given periods only, ends included', async () => {
    await flip(store, 3, 0)
    const report = await verifyArchive(store, { from: 4, to: 9 })
    assert.equal(report.periods, 3)
    assert.deepEqual(report.damages, [])
    assert.equal((await verifyArchive(store, { from: 3, to: 3 })).damages.length, 1)
  })

  const places: [string, number][] = [
    ['chunk 0', 0],
    ['chunk 1', 1],
    ['execution results', EXECUTION_RESULTS],
    ['seals', SEALS],
    ['manifest', MANIFEST],
  ]
  for (const [what, n] of places) {
    it(`finds a flipped bit in any byte of ${what}, names and repairs it`, async () => {
      const size = (await store.bodies.get(encodeBodyKey(4, n)))?.length ?? 0
      for (const at of [0, 31, 32, Math.floor(size / 2), size - 1]) {
        await flip(store, 4, n, at)
        const report = await verifyArchive(store, {})
        assert.deepEqual(namesOf(report), [`4 ${what} STORE_VALUE_CORRUPT`])
        assert.equal(report.damages[0]?.repairable, false)
        const repaired = await verifyArchive(store, {
          repair: true,
          refetchPeriod: async (number) => makePeriod(number),
        })
        assert.deepEqual(
          repaired.damages.map(({ repairable, repaired }) => [repairable, repaired]),
          [[true, true]],
        )
        assert.deepEqual((await verifyArchive(store, { deep: true })).damages, [])
        await assertHolds(store, makePeriod(4))
      }
    })

    it(`finds that ${what} is missing`, async () => {
      await store.bodies.write([{ type: 'del', key: encodeBodyKey(4, n) }], { sync: true })
      assert.deepEqual(namesOf(await verifyArchive(store, {})), [`4 ${what} STORE_VALUE_MISSING`])
    })
  }

  describe('a node that gives blocks, but not what executing them did', () => {
    const refetchPeriod = async (number: number) => ({ ...makePeriod(number), executionResults: Uint8Array.of(0) })
    const repair = () => verifyArchive(store, { repair: true, refetchPeriod })

    for (const n of [0, SEALS, MANIFEST]) {
      it(`repairs place ${n} and leaves the execution results that are intact`, async () => {
        await flip(store, 4, n)
        const { damages } = await repair()
        assert.deepEqual(
          damages.map(({ repaired, lost }) => [repaired, lost]),
          [[true, undefined]],
        )
        await assertHolds(store, makePeriod(4))
      })
    }

    it('says that execution results are lost where they were damaged', async () => {
      await flip(store, 4, 1)
      await flip(store, 4, EXECUTION_RESULTS)
      const { damages } = await repair()
      assert.deepEqual(
        damages.map(({ what, repaired, lost, note }) => [what, repaired, lost, note !== undefined]),
        [
          ['chunk 1', true, undefined, false],
          ['execution results', true, true, true],
        ],
      )
      assert.deepEqual(await store.readExecutionResults(4), Uint8Array.of(0))
      assert.deepEqual((await verifyArchive(store, { deep: true })).damages, [])
    })

    it('says that execution results are lost of a period of which only the index knew', async () => {
      for await (const { places: found } of store.listPlaces(4, 4)) await store.deleteValues(4, found)
      const { damages } = await repair()
      const lost = damages.filter((damage) => damage.lost)
      assert.deepEqual(
        lost.map(({ period, what, code, repaired }) => [period, what, code, repaired]),
        [[4, 'execution results', 'STORE_VALUE_MISSING', true]],
      )
      assert.deepEqual(await store.readExecutionResults(4), Uint8Array.of(0))
    })
  })

  it('says so when a repair finds no source', async () => {
    await flip(store, 4, SEALS)
    const report = await verifyArchive(store, { repair: true, refetchPeriod: async () => undefined })
    assert.deepEqual(
      report.damages.map(({ repaired }) => repaired),
      [false],
    )
  })

  it('takes nothing from a source that gives another period than the one that was archived', async () => {
    for (const n of [0, MANIFEST]) {
      await flip(store, 4, n)
      const before = await store.bodies.get(encodeBodyKey(4, n))
      const other = makePeriod(4, { blocks: 2 })
      const report = await verifyArchive(store, { repair: true, refetchPeriod: async () => other })
      assert.deepEqual(
        report.damages.map(({ repaired }) => repaired),
        [false],
      )
      assert.deepEqual(await store.bodies.get(encodeBodyKey(4, n)), before)
      await store.replacePeriod(makePeriod(4))
    }
  })

  it('repairs a period whose summary in the index is that of another, by its manifest', async () => {
    const foreign = (await store.index.get(summaryKey(9))) ?? new Uint8Array(0)
    await store.index.write([{ type: 'put', key: summaryKey(4), value: foreign }], { sync: true })
    await flip(store, 4, 0)
    const report = await verifyArchive(store, { repair: true, refetchPeriod: async (number) => makePeriod(number) })
    assert.deepEqual(namesOf(report).sort(), ['4 chunk 0 STORE_VALUE_CORRUPT', '4 index STORE_INDEX_WRONG'])
    assert.ok(report.damages.every(({ repaired }) => repaired))
    await assertHolds(store, makePeriod(4))
  })

  it('finds that a whole period is missing which the index knows', async () => {
    await store.deleteValues(4, [0, 1, 2, EXECUTION_RESULTS, SEALS, MANIFEST])
    const report = await verifyArchive(store, {})
    assert.deepEqual(namesOf(report), ['4 manifest STORE_VALUE_MISSING'])
    const repair = { repair: true, refetchPeriod: async (number: number) => makePeriod(number) }
    assert.equal((await verifyArchive(store, repair)).damages[0]?.repaired, true)
    await assertHolds(store, makePeriod(4))
  })

  it('finds a chunk that carries a right hash and is another: deep', async () => {
    const value = sealValue(noise('other', makePeriod(4).chunks[0]?.length ?? 0))
    await store.bodies.write([{ type: 'put', key: encodeBodyKey(4, 0), value }], { sync: true })
    assert.deepEqual(namesOf(await verifyArchive(store, {})), [])
    assert.deepEqual(namesOf(await verifyArchive(store, { deep: true })), ['4 chunk 0 STORE_VALUE_CORRUPT'])
  })

  it('finds SEALS that carry a right hash and are not those of BODY: deep', async () => {
    const { seals } = makePeriod(4)
    const other = Uint8Array.from(seals)
    other[24] = (other[24] ?? 0) ^ 1
    const wrong = {
      'a signature less': seals.subarray(0, -64),
      'a signature more': concatBytes(seals, noise('x', 64)),
      'half a signature more': concatBytes(seals, noise('x', 32)),
      'of another period': other,
      'of another network': makePeriod(4, {
        identity: { ...TEST_IDENTITY, network: { ...TEST_IDENTITY.network, chainId: 78n } },
      }).seals,
      nothing: new Uint8Array(0),
    }
    for (const [what, value] of Object.entries(wrong)) {
      await store.bodies.write([{ type: 'put', key: encodeBodyKey(4, SEALS), value: sealValue(value) }], { sync: true })
      assert.deepEqual(namesOf(await verifyArchive(store, {})), [], what)
      assert.deepEqual(namesOf(await verifyArchive(store, { deep: true })), ['4 seals CORE_SEALS_INVALID'], what)
    }
    const repaired = await verifyArchive(store, { deep: true, repair: true, refetchPeriod: async (n) => makePeriod(n) })
    assert.equal(repaired.damages[0]?.repaired, true)
    await assertHolds(store, makePeriod(4))
  })

  it('finds a manifest of another period, even when its hash is right', async () => {
    const value = (await store.bodies.get(encodeBodyKey(5, MANIFEST))) ?? new Uint8Array(0)
    await store.bodies.write([{ type: 'put', key: encodeBodyKey(4, MANIFEST), value }], { sync: true })
    assert.ok(namesOf(await verifyArchive(store, {})).includes('4 manifest CORE_MANIFEST_INVALID'))
  })

  it('finds a chunk that no manifest names, and deletes it', async () => {
    await store.bodies.write([{ type: 'put', key: encodeBodyKey(9, 700), value: sealValue(noise('x', 10)) }], {
      sync: true,
    })
    assert.deepEqual(namesOf(await verifyArchive(store, {})), ['9 chunk 700 STORE_VALUE_ORPHANED'])
    const repaired = await verifyArchive(store, { repair: true })
    assert.equal(repaired.damages[0]?.repaired, true)
    assert.equal(await store.bodies.get(encodeBodyKey(9, 700)), undefined)
  })

  it('finds index entries that are missing, wrong, damaged or point nowhere, and rebuilds them', async () => {
    const chunk = makePeriod(4).manifest.chunks[1]
    assert.ok(chunk)
    const place = placeKey({ chunkId: chunk.chunkId, period: 4, index: 1 })
    const strange = placeKey({ chunkId: chunk.chunkId, period: 5, index: 0 })
    const foreign = (await store.index.get(summaryKey(9))) ?? new Uint8Array(0)
    const torn = Uint8Array.from(foreign)
    torn[40] = (torn[40] ?? 0) ^ 1
    const cases = [
      [4, { type: 'del', key: summaryKey(4) }],
      [4, { type: 'put', key: summaryKey(4), value: foreign }],
      [9, { type: 'put', key: summaryKey(9), value: torn }],
      [4, { type: 'del', key: place }],
      [5, { type: 'put', key: strange, value: new Uint8Array(0) }],
    ] as const
    for (const [period, operation] of cases) {
      await store.index.write([operation], { sync: true })
      assert.deepEqual(namesOf(await verifyArchive(store, {})), [`${period} index STORE_INDEX_WRONG`])
      const repaired = await verifyArchive(store, { repair: true })
      assert.deepEqual(
        repaired.damages.map(({ repairable, repaired }) => [repairable, repaired]),
        [[true, true]],
      )
      assert.deepEqual((await verifyArchive(store, { deep: true })).damages, [])
    }
  })

  it('finds damage in every keyspace of the spool', async () => {
    const spool = new LevelSpool(store.index)
    const block = makeBlock({ period: 50, thread: 2 })
    await spool.putBlock(block)
    await spool.putFinal(block.slot, block.id)
    await spool.putExecution(block.slot, noise('e', 50))
    await spool.putQuarantined({ id: block.id, code: 'X', raw: noise('q', 50) })
    await spool.putMark('gaps', noise('m', 50))
    assert.deepEqual((await verifyArchive(store, {})).damages, [])
    for (const keyspace of ['spoolBlocks', 'finals', 'executions', 'quarantine', 'marks'] as const) {
      for await (const [key, value] of store.index.entries(keyspaceRange(keyspace))) {
        const torn = Uint8Array.from(value)
        torn[33] = (torn[33] ?? 0) ^ 1
        await store.index.write([{ type: 'put', key, value: torn }], { sync: true })
      }
    }
    assert.deepEqual(namesOf(await verifyArchive(store, {})), [
      'undefined quarantine STORE_VALUE_CORRUPT',
      'undefined marks STORE_VALUE_CORRUPT',
      '50 spool blocks STORE_VALUE_CORRUPT',
      '50 finals STORE_VALUE_CORRUPT',
      '50 executions STORE_VALUE_CORRUPT',
    ])
    await verifyArchive(store, { repair: true })
    assert.deepEqual((await verifyArchive(store, {})).damages, [])
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    await assert.rejects(
      verifyArchive(store, {}, () => undefined, stop.signal),
      /enough/,
    )
  })

  it('gives the same report from worker threads as from one', async function () {
    // Eight threads start, each from sources.
    this.timeout(60_000)
    const dataDir = await folders.make()
    const opened = await openTestStore(dataDir)
    try {
      // More than is hashed without threads, in several tables; some of it is in memory only.
      for (let number = 0; number < 60; number++) {
        await opened.chunks.writePeriod(makePeriod(number, { operationBytes: 90_000 }))
      }
      await flip(opened.chunks, 17, 1)
      await flip(opened.chunks, 40, SEALS)
      const short = sealValue(makePeriod(50, { operationBytes: 90_000 }).seals.subarray(64))
      await opened.chunks.bodies.write([{ type: 'put', key: encodeBodyKey(50, SEALS), value: short }], { sync: true })
      for (const deep of [false, true]) {
        const many = await verifyArchive(opened.chunks, { deep, threads: 2 })
        assert.deepEqual(many, await verifyArchive(opened.chunks, { deep, threads: 0 }))
        assert.deepEqual(namesOf(many), [
          '17 chunk 1 STORE_VALUE_CORRUPT',
          '40 seals STORE_VALUE_CORRUPT',
          ...(deep ? ['50 seals CORE_SEALS_INVALID'] : []),
        ])
      }
    } finally {
      await opened.close()
    }
    // Worker threads let go of the database: it opens again.
    await (await openTestStore(dataDir)).close()
  })

  it("finds a flipped byte anywhere in LevelDB's own table files, or nothing is lost by it", async function () {
    this.timeout(60_000)
    const dataDir = await folders.make()
    const first = await openTestStore(dataDir)
    for (const number of PERIODS) await first.chunks.writePeriod(makePeriod(number))
    await first.close()
    // Opening turns the log into a table.
    await (await openTestStore(dataDir)).close()
    const path = await findTable(join(dataDir, 'bodies'))
    const intact = await readFile(path)
    const lastBlock = intact.length - 600
    let found = 0
    // Spread over the file, then every third byte of index and footer; a prime step, so that every part of entries is hit.
    const places = [
      ...Array.from({ length: 40 }, (_, i) => Math.floor((lastBlock * i) / 40)),
      ...Array.from({ length: 60 }, (_, i) => intact.length - 1 - i * 7),
    ]
    for (const at of places) {
      const damaged = Buffer.from(intact)
      damaged[at] = (damaged[at] ?? 0) ^ 0x41
      await writeFile(path, damaged)
      if (await isFoundOrHarmless(dataDir)) found++
      await writeFile(path, intact)
    }
    assert.ok(found >= 60, `${found} of ${places.length} flips were reported`)
  })

  it('brings an archive back whose table files were damaged, with the help of a node', async function () {
    this.timeout(60_000)
    for (const name of ['bodies', 'index']) {
      const dataDir = await folders.make()
      const first = await openTestStore(dataDir)
      for (const number of PERIODS) await first.chunks.writePeriod(makePeriod(number))
      await first.close()
      await (await openTestStore(dataDir)).close()
      const path = await findTable(join(dataDir, name))
      const damaged = await readFile(path)
      // Nothing of it can be read.
      await writeFile(path, damaged.fill(0xa5))
      await assert.rejects(openTestStore(dataDir), hasCode('STORE_DATABASE_DAMAGED'))
      const repaired = await openTestStore(dataDir, { repair: true })
      const refetchPeriod = async (number: number) => makePeriod(number)
      const report = await verifyArchive(repaired.chunks, { repair: true, refetchPeriod })
      const named = report.damages.filter(({ lost }) => !lost)
      assert.equal(named.length, name === 'bodies' ? PERIODS.length : 0)
      // What executing them did was in that table, and a node does not give it again.
      assert.equal(report.damages.length - named.length, named.length)
      assert.ok(report.damages.every(({ repaired }) => repaired))
      for (const number of PERIODS) await assertHolds(repaired.chunks, makePeriod(number))
      assert.deepEqual((await verifyArchive(repaired.chunks, { deep: true })).damages, [])
      await repaired.close()
    }
  })
})

async function findTable(folder: string): Promise<string> {
  const table = (await readdir(folder)).find((name) => name.endsWith('.ldb'))
  assert.ok(table)
  return join(folder, table)
}

/** True when the flip was reported; fails when it was not although something is lost. */
async function isFoundOrHarmless(dataDir: string): Promise<boolean> {
  let opened: Awaited<ReturnType<typeof openTestStore>>
  try {
    opened = await openTestStore(dataDir)
  } catch (error) {
    return hasCode('STORE_DATABASE_DAMAGED')(error)
  }
  try {
    const report = await verifyArchive(opened.chunks, { deep: true })
    if (report.damages.length > 0) return true
    for (const number of PERIODS) await assertHolds(opened.chunks, makePeriod(number))
    return false
  } finally {
    await opened.close()
  }
}

async function makeStore(): Promise<LevelChunkStore> {
  const bodies = await openMemoryLevel('bodies')
  return new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
}

async function flip(store: LevelChunkStore, period: number, n: number, at = 50): Promise<void> {
  const key = encodeBodyKey(period, n)
  const value = Uint8Array.from((await store.bodies.get(key)) ?? [])
  assert.ok(at < value.length, toHex(key))
  value[at] = (value[at] ?? 0) ^ 4
  await store.bodies.write([{ type: 'put', key, value }], { sync: true })
}

function namesOf(report: VerifyReport): string[] {
  return report.damages.map(({ period, what, code }) => `${period} ${what} ${code}`)
}
