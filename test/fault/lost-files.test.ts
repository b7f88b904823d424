import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type ArchivedPeriod, isArchiveError } from '../../core/index.ts'
import {
  type OpenStoreOptions,
  openStore,
  readOrCreateKey,
  type Store,
  verifyArchive,
} from '../../storage-worker/index.ts'
import { makeBlock, makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { assertHolds } from '../suites/chunk-store-suite.ts'

const PERIODS = [1, 2, 3, 4, 5, 6]
const LARGE = { operations: 3, blocks: 1, operationBytes: 360_000 }
/** Making them takes longer than writing them. */
const made = new Map<number, ArchivedPeriod>()
const block = makeBlock({ period: 9, thread: 0 })
const QUARANTINED = { id: block.id, code: 'X', raw: new Uint8Array(9).fill(7) }
const MARK = new Uint8Array(5).fill(3)

/** Files that may go, or be empty, without harm, each with the reason. */
const EXEMPT: readonly [RegExp, string][] = [
  [/^(bodies|index)\/LOCK$/, 'only the lock on it counts'],
  [/^(bodies|index)\/LOG(\.old)?$/, "LevelDB's diary, for people to read"],
  [/^sizes\.json$/, 'lets damage be found: another one comes with the next closing'],
]

const DAMAGES: readonly [string, (path: string) => void][] = [
  ['removed', (path) => rmSync(path, { recursive: true })],
  ['cut to half', (path) => truncateSync(path, statSync(path).size >> 1)],
  ['cut to nothing', (path) => truncateSync(path, 0)],
]

/** `written`: as the archiver leaves it, all in logs. `opened`: once opened since, all in tables. */
const STATES = ['written', 'opened'] as const

describe('fault: a file of the data directory is lost', function () {
  this.timeout(120_000)
  const folders = new TempFolders()
  let dir = ''

  before(async () => {
    dir = await folders.make()
    const dataDir = join(dir, 'written')
    const store = await openTestStore(dataDir)
    await readOrCreateKey(dataDir, 'archiver.key')
    for (const period of PERIODS) await store.chunks.writePeriod(archived(period))
    await store.spool.putBlock(block)
    await store.spool.putFinal(block.slot, block.id)
    await store.spool.putQuarantined(QUARANTINED)
    await store.spool.putMark('gaps', MARK)
    await store.close()
    cpSync(dataDir, join(dir, 'opened'), { recursive: true })
    await (await openTestStore(join(dir, 'opened'))).close()
  })
  after(() => folders.clean())

  for (const state of STATES) {
    for (const [how, damage] of DAMAGES) {
      it(`${state}, ${how}: verify names it, no command destroys what is left, and a repair brings it back`, async () => {
        const kinds = new Set<string>()
        for (const file of listFiles(join(dir, state))) {
          if (EXEMPT.some(([pattern]) => pattern.test(file))) continue
          // An empty log cannot be cut.
          if (how !== 'removed' && statSync(join(dir, state, file)).size === 0) continue
          kinds.add(file.replace(/\d+/, 'N'))
          const original = join(dir, state, file)
          await lose(copyOf(state), file, { damage, restore: (copy) => cpSync(original, join(copy, file)) })
        }
        const some = state === 'written' ? ['bodies/N.log', 'index/N.log'] : ['bodies/N.ldb', 'index/N.ldb']
        for (const kind of ['bodies/CURRENT', 'index/MANIFEST-N', 'store.json', 'archiver.key', ...some]) {
          assert.ok(kinds.has(kind), kind)
        }
      })
    }

    for (const folder of ['bodies', 'index']) {
      it(`${state}, the whole folder of ${folder} removed: the same`, async () => {
        const restore = (copy: string) => cpSync(join(dir, state, folder), join(copy, folder), { recursive: true })
        await lose(copyOf(state), folder, { damage: (path) => rmSync(path, { recursive: true }), restore })
      })
    }
  }

  async function lose(
    copy: string,
    file: string,
    { damage, restore }: { damage: (path: string) => void; restore: (copy: string) => void },
  ): Promise<void> {
    damage(join(copy, file))
    const left = listFiles(copy).filter((name) => name.endsWith('.ldb'))
    // What `list-chunks` and what `start` do: neither may hide it from the verification behind.
    const refused = await tryOpen(copy)
    assert.equal((await tryOpenAsStart(copy)) === undefined, refused === undefined)
    for (const name of left) assert.ok(existsSync(join(copy, name)) || !refused, `${file}: ${name} is gone`)
    const found = await findDamage(copy)
    assert.ok(
      found.some((text) => text.includes(file)),
      `${file} is not named: ${found.join('; ') || 'no damage'}`,
    )
    if (refused) {
      const untouched = `${copy}-restored`
      cpSync(copy, untouched, { recursive: true })
      restore(untouched)
      assert.deepEqual(await findDamage(untouched), [], file)
      await withStore(untouched, {}, (store) => assertWhole(store, true))
    }
    await withStore(copy, { repair: true }, async (store) => {
      const refetchPeriod = async (period: number) => archived(period)
      await verifyArchive(store.chunks, { repair: true, deep: true, threads: 0, refetchPeriod })
      await store.checkFiles(true)
    })
    const isLost = file.startsWith('index') && /(ldb|log|index)$/.test(file)
    assert.deepEqual(await findDamage(copy), file === 'archiver.key' ? ['archiver.key STORE_KEY_INVALID'] : [], file)
    await withStore(copy, {}, (store) => assertWhole(store, !isLost))
  }

  function copyOf(state: string): string {
    const copy = join(dir, `copy-${readdirSync(dir).length}`)
    cpSync(join(dir, state), copy, { recursive: true })
    return copy
  }
})

function archived(period: number): ArchivedPeriod {
  const known = made.get(period) ?? makePeriod(period, period === 4 ? LARGE : {})
  made.set(period, known)
  return known
}

/** @param spool - whether what stands in the index alone is to be there */
async function assertWhole(store: Store, spool: boolean): Promise<void> {
  for (const period of PERIODS) await assertHolds(store.chunks, archived(period))
  if (!spool) return
  assert.deepEqual(await store.spool.readBlock(block.slot, block.id), block)
  assert.deepEqual(await collect(store.spool.listFinals()), [{ slot: block.slot, id: block.id }])
  assert.deepEqual(await collect(store.spool.listQuarantined()), [QUARANTINED])
  assert.deepEqual(await store.spool.readMark('gaps'), MARK)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

async function withStore(
  dataDir: string,
  options: Partial<OpenStoreOptions>,
  task: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore({ dataDir, freeFloorBytes: 0, ballastBytes: 0, chunkSizeBytes: 4096, ...options })
  try {
    await task(store)
  } finally {
    await store.close()
  }
}

/** Why it does not open; `undefined` when it does. */
async function tryOpen(dataDir: string): Promise<string | undefined> {
  return catchCode(() => withStore(dataDir, {}, async () => undefined))
}

async function tryOpenAsStart(dataDir: string): Promise<string | undefined> {
  return catchCode(async () => (await openTestStore(dataDir)).close())
}

async function catchCode(task: () => Promise<void>): Promise<string | undefined> {
  try {
    await task()
    return undefined
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return `${error.code} ${error.message}`
  }
}

/** As `verify --deep` says it. */
async function findDamage(dataDir: string): Promise<string[]> {
  const found: string[] = []
  const refused = await catchCode(() =>
    withStore(dataDir, {}, async (store) => {
      const { damages } = await verifyArchive(store.chunks, { deep: true, threads: 0 })
      for (const { what, code } of [...(await store.checkFiles(false)), ...damages]) found.push(`${what} ${code}`)
    }),
  )
  return refused === undefined ? found : [refused]
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}
