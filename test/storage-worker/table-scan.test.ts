import assert from 'node:assert/strict'
import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../core/index.ts'
import { verifyArchive } from '../../storage-worker/index.ts'
import { bodyRange, encodeBodyKey, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { readKeyRange, scanTable } from '../../storage-worker/table-scan.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()
const ALL = bodyRange(0, 1e6)

describe('storage-worker/table-scan', () => {
  afterEach(() => folders.clean())

  it('visits the entries that LevelDB gives, in its order', async () => {
    const dataDir = await writePeriods([1, 2, 3, 70_000])
    const [path] = await listTables(dataDir)
    assert.ok(path)
    const seen: [string, string][] = []
    const damage = scanTable(path, ALL, (key, value) => seen.push([toHex(key), toHex(value ?? new Uint8Array(0))]))
    assert.equal(damage, undefined)
    const store = await openTestStore(dataDir)
    const want: [string, string][] = []
    for await (const [key, value] of store.chunks.bodies.entries(ALL)) want.push([toHex(key), toHex(value)])
    await store.close()
    assert.deepEqual(seen, want)
    const range = readKeyRange(path)
    assert.ok(range)
    assert.equal(toHex(range.first), toHex(encodeBodyKey(1, 0)))
    assert.equal(toHex(range.last), toHex(encodeBodyKey(70_000, MANIFEST)))
  })

  it('leaves out blocks beyond the range, and nothing within it', async () => {
    const dataDir = await writePeriods(Array.from({ length: 40 }, (_, i) => i))
    const [path] = await listTables(dataDir)
    assert.ok(path)
    const visit = (from: number, to: number) => {
      const keys: string[] = []
      scanTable(path, bodyRange(from, to), (key) => keys.push(toHex(key)))
      return keys
    }
    const all = visit(0, 1e6)
    for (const [from, to] of [
      [0, 0],
      [7, 9],
      [39, 39],
    ] as const) {
      const some = visit(from, to)
      const low = toHex(encodeBodyKey(from, 0))
      const high = toHex(encodeBodyKey(to + 1, 0))
      assert.ok(some.length < all.length)
      assert.deepEqual(
        some.filter((key) => key >= low && key < high),
        all.filter((key) => key >= low && key < high),
      )
    }
    // The key of the last block may be any behind its entries.
    assert.ok(visit(1000, 2000).length < 10)
  })

  it('error: says why when the file is cut off', async () => {
    const dataDir = await writePeriods([1, 2])
    const [path] = await listTables(dataDir)
    assert.ok(path)
    await truncate(path, 3000)
    assert.equal(typeof scanTable(path, ALL, () => undefined), 'string')
    assert.equal(readKeyRange(path), undefined)
  })

  it('judges values by what was written last, wherever older ones still lie', async () => {
    const dataDir = await writePeriods([1, 2, 3])
    const store = await openTestStore(dataDir)
    const { bodies } = store.chunks
    const key = encodeBodyKey(2, SEALS)
    const intact = await bodies.get(key)
    assert.ok(intact)
    const check = async () => (await verifyArchive(store.chunks, { threads: 1 })).damages.map(({ code }) => code)
    await bodies.write([{ type: 'put', key, value: new Uint8Array(50) }], { sync: true })
    assert.deepEqual(await check(), ['STORE_VALUE_CORRUPT'])
    await bodies.write([{ type: 'put', key, value: intact }], { sync: true })
    assert.deepEqual(await check(), [])
    await bodies.write([{ type: 'del', key }], { sync: true })
    assert.deepEqual(await check(), ['STORE_VALUE_MISSING'])
    await store.close()
  })
})

/** In one table: opening makes it of the log. */
async function writePeriods(numbers: readonly number[]): Promise<string> {
  const dataDir = await folders.make()
  const store = await openTestStore(dataDir)
  for (const number of numbers) await store.chunks.writePeriod(makePeriod(number))
  await store.close()
  await (await openTestStore(dataDir)).close()
  return dataDir
}

async function listTables(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, 'bodies')
  return (await readdir(folder)).filter((name) => name.endsWith('.ldb')).map((name) => join(folder, name))
}
