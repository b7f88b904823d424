import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ArchivedPeriod, isArchiveError } from '../../core/index.ts'
import { type Damage, openStore, type Store, verifyArchive } from '../../storage-worker/index.ts'
import { decodeBodyKey, EXECUTION_RESULTS, encodeBodyKey, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'
import { summaryKey } from '../../storage-worker/period-index.ts'
import { findDamagedTables } from '../../storage-worker/table-file.ts'
import { readKeyRange } from '../../storage-worker/table-scan.ts'
import { makeBlock, makePeriod, noise } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { assertHolds } from '../suites/chunk-store-suite.ts'
import { programPath } from './program-path.ts'

const REPAIRER = programPath('table-repairer')
const SEED = process.env.MASSA_STORAGE_TEST_SEED ?? '1'
const PERIODS = Array.from({ length: 36 }, (_, i) => i + 1)
/** Deleted as retention does it, but for the compaction: the values lie in older tables still, the deletions in newer. */
const DELETED = [1, 2, 3, 4, 5, 6, 7]
const KEPT = PERIODS.filter((period) => !DELETED.includes(period))
const LARGE = { operations: 3, blocks: 1, operationBytes: 360_000 }
const FOOTER_BYTES = 48
/** Making them takes longer than writing them. */
const made = new Map<number, ArchivedPeriod>()
const block = makeBlock({ period: 90, thread: 0 })

describe('fault: a table of LevelDB is damaged', function () {
  this.timeout(120_000)
  const folders = new TempFolders()
  let dir = ''
  let original = ''

  before(async () => {
    dir = await folders.make()
    original = join(dir, 'original')
    const createLevel = (location: string, options: object) =>
      createClassicLevel(location, { ...options, writeBufferSize: 256 * 1024 })
    // Opened again and again: each time what is in the log becomes a table.
    for (const upTo of [12, 24, 36]) {
      const store = await openTestStore(original, { createLevel })
      for (const period of PERIODS)
        if (period > upTo - 12 && period <= upTo) await store.chunks.writePeriod(archived(period))
      await store.spool.putBlock(block)
      await store.close()
    }
    const store = await openTestStore(original, { createLevel })
    for (const period of DELETED) await store.chunks.deleteValues(period, placesOf(period))
    await store.chunks.rebuildIndex()
    await store.close()
    await (await openTestStore(original, { createLevel })).close()
    assert.ok(tablesOf(original, 'bodies').length > 2, 'several tables')
    assert.ok(existsSync(join(original, 'bodies', oldestTable())))
    assert.deepEqual(await findDamage(original), [])
    await withStore(original, {}, assertWhole)
  })
  after(() => folders.clean())

  it(`is repaired without a node, byte for byte, wherever a byte is flipped outside of values (seed ${SEED})`, async () => {
    for (const database of ['bodies', 'index']) {
      for (const [i, table] of tablesOf(original, database).entries()) {
        const size = readFileSync(join(original, table)).length
        const random = [...noise(`${SEED} ${table}`, 1)]
        // All of a footer and its surroundings in test/storage-worker/table-salvage.test.ts.
        const footer = Array.from({ length: FOOTER_BYTES }, (_, k) => size - 1 - k).filter((_, k) => k % 24 === i % 24)
        const places = [...footer, ...random.map((byte) => size - FOOTER_BYTES - 1 - byte)]
        for (const at of places) {
          const copy = copyOf()
          flip(join(copy, table), at)
          assert.equal(findDamagedTables(join(copy, database), undefined, true).length, 1, `${table} at ${at}`)
          const note = (await repair(copy)).find(({ what }) => what === table)?.note
          assert.match(note ?? '', /^all its \d+ values are back$/, `${table} at ${at}`)
          assert.ok(readFileSync(join(copy, table)).equals(readFileSync(join(original, table))), `${table} at ${at}`)
          if (at !== places.at(-1)) continue
          await withStore(copy, {}, assertWhole)
          assert.deepEqual(await findDamage(copy), [])
        }
      }
    }
  })

  it('with bytes in the padding of its footer, is read as before, named by verify, and repaired', async () => {
    const copy = copyOf()
    const table = join('bodies', oldestTable())
    flip(join(copy, table), readFileSync(join(copy, table)).length - 12)
    await withStore(copy, {}, async (store) => {
      await assertWhole(store)
      for (const threads of [0, 1]) {
        const { damages, periods } = await verifyArchive(store.chunks, { threads })
        assert.deepEqual(
          damages.map(({ what, code, reason }) => [what, code, reason]),
          [[table, 'STORE_DATABASE_DAMAGED', 'bytes behind the handles of the footer']],
        )
        assert.equal(periods, KEPT.length)
      }
      // A period beside it is mended, and said to be: its index is made again.
      await store.chunks.index.write([{ type: 'del', key: summaryKey(20) }], { sync: true })
      const { damages } = await verifyArchive(store.chunks, { repair: true })
      assert.deepEqual(
        damages.map(({ what, repaired }) => [what, repaired]),
        [
          [table, undefined],
          ['index', true],
        ],
      )
    })
    await repair(copy)
    assert.deepEqual(await findDamage(copy), [])
  })

  it('that lost a block is kept where the report says, its other values are back, and verify names the periods', async () => {
    const copy = copyOf()
    const table = join('bodies', oldestTable())
    const bytes = readFileSync(join(copy, table))
    // A block of small values, and the index with it.
    bytes.fill(0x5a, 30_000, 30_600)
    bytes.fill(0, bytes.length - 200)
    writeFileSync(join(copy, table), bytes)
    const mended = await repair(copy)
    const damages = await listDamages(copy)
    const note = mended.find(({ what }) => what === table)?.note ?? ''
    const [, values, where] = /^(\d+) values are back, what it may lack lies in (bodies\/damaged\/.+)$/.exec(note) ?? []
    assert.ok(Number(values) > 3 && where !== undefined, note)
    assert.ok(readFileSync(join(copy, where)).equals(bytes))
    const lost = new Set(damages.map(({ period }) => period))
    assert.ok(lost.size > 0 && lost.size < KEPT.length, [...lost].join())
    await withStore(copy, {}, async (store) => {
      for (const period of KEPT) if (!lost.has(period)) await assertHolds(store.chunks, archived(period))
      const refetchPeriod = async (period: number) => archived(period)
      await verifyArchive(store.chunks, { repair: true, threads: 0, refetchPeriod })
      await assertWhole(store)
    })
    assert.deepEqual(await findDamage(copy), [])
  })

  it('of which nothing is left lies in the folder that the report names, and the others are whole', async () => {
    const copy = copyOf()
    const table = join('bodies', oldestTable())
    writeFileSync(join(copy, table), Buffer.alloc(5000, 0x77))
    const mended = await repair(copy)
    const damages = await listDamages(copy)
    const note = mended.find(({ what }) => what === table)?.note
    assert.equal(note, `nothing of it can be read, it lies in bodies/damaged/${oldestTable()}`)
    assert.ok(existsSync(join(copy, 'bodies', 'damaged', oldestTable())))
    const lost = new Set(damages.map(({ period }) => period))
    await withStore(copy, {}, async (store) => {
      for (const period of KEPT) if (!lost.has(period)) await assertHolds(store.chunks, archived(period))
      const refetchPeriod = async (period: number) => archived(period)
      await verifyArchive(store.chunks, { repair: true, threads: 0, refetchPeriod })
    })
    assert.deepEqual(await findDamage(copy), [])
  })

  it('is mended by the next repair when one was killed at any change that it makes', async () => {
    const table = join('bodies', oldestTable())
    const damaged = copyOf()
    const bytes = readFileSync(join(damaged, table))
    bytes.fill(0, bytes.length - 200)
    bytes.fill(0x5a, 30_000, 30_600)
    writeFileSync(join(damaged, table), bytes)
    const changes = Number(await runRepairer(copyOf(damaged), 0, 'before'))
    // Written, kept, in its place.
    assert.ok(changes >= 3, `${changes} changes`)
    for (let killAt = 1; killAt <= changes; killAt++) {
      for (const when of ['before', 'after'] as const) {
        const copy = copyOf(damaged)
        assert.equal(await runRepairer(copy, killAt, when), undefined, `not killed at ${killAt}`)
        await repair(copy)
        const lost = new Set((await listDamages(copy)).map(({ period }) => period))
        assert.ok(lost.size > 0 && lost.size < 5, `${when} change ${killAt}: ${[...lost].join()}`)
        const kept = readdirSync(join(copy, 'bodies', 'damaged')).filter((name) => name.endsWith('.ldb'))
        assert.deepEqual(kept, [oldestTable()])
        await withStore(copy, {}, async (store) => {
          for (const period of KEPT) if (!lost.has(period)) await assertHolds(store.chunks, archived(period))
          for (const period of DELETED) assert.equal(await store.chunks.readManifest(period), undefined)
        })
      }
    }
  })

  /** As `verify --repair` does it; what it says. */
  async function repair(copy: string): Promise<readonly Damage[]> {
    const mended: Damage[] = []
    const collect = async (store: Store) => void mended.push(...store.mended)
    await withStore(copy, { repair: true }, collect)
    if (mended.length === 0) await withStore(copy, { repair: true, rebuild: true }, collect)
    return mended
  }

  function oldestTable(): string {
    const found = tablesOf(original, 'bodies').find((table) => {
      const keys = readKeyRange(join(original, table))
      return keys && decodeBodyKey(keys.last) && (decodeBodyKey(keys.last)?.period ?? 0) > DELETED.length
    })
    assert.ok(found)
    return found.slice('bodies/'.length)
  }

  function copyOf(source = original): string {
    const copy = join(dir, `copy-${readdirSync(dir).length}`)
    cpSync(source, copy, { recursive: true })
    return copy
  }
})

/** What it says; `undefined` when it was killed. */
function runRepairer(dataDir: string, killAt: number, when: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const args = [REPAIRER, dataDir, String(killAt), when]
    execFile(process.execPath, args, { timeout: 30_000 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout)
      else if (error.signal === 'SIGKILL') resolve(undefined)
      else reject(new Error(stderr))
    })
  })
}

function archived(period: number): ArchivedPeriod {
  const known = made.get(period) ?? makePeriod(period, period % 16 === 11 ? LARGE : {})
  made.set(period, known)
  return known
}

function placesOf(period: number): number[] {
  return [...archived(period).chunks.keys(), EXECUTION_RESULTS, SEALS, MANIFEST]
}

async function assertWhole(store: Store): Promise<void> {
  for (const period of KEPT) await assertHolds(store.chunks, archived(period))
  for (const period of DELETED) {
    assert.equal(await store.chunks.readManifest(period), undefined, `${period} is back`)
    for (const n of placesOf(period)) assert.equal(await store.chunks.bodies.get(encodeBodyKey(period, n)), undefined)
  }
  assert.deepEqual(await store.spool.readBlock(block.slot, block.id), block)
}

async function withStore(
  dataDir: string,
  options: { readonly repair?: boolean; readonly rebuild?: boolean },
  task: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore({ dataDir, freeFloorBytes: 0, ballastBytes: 0, ...options })
  try {
    await task(store)
  } finally {
    await store.close()
  }
}

async function listDamages(dataDir: string): Promise<readonly Damage[]> {
  let found: readonly Damage[] = []
  await withStore(dataDir, {}, async (store) => {
    found = (await verifyArchive(store.chunks, { deep: true, threads: 0 })).damages
  })
  return found
}

async function findDamage(dataDir: string): Promise<string[]> {
  try {
    return (await listDamages(dataDir)).map(({ what, code }) => `${what} ${code}`)
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return [error.message]
  }
}

function tablesOf(dataDir: string, database: string): string[] {
  return readdirSync(join(dataDir, database))
    .filter((name) => name.endsWith('.ldb'))
    .sort()
    .map((name) => join(database, name))
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 0x11
  writeFileSync(path, bytes)
}
