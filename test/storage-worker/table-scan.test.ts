import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { open, readdir, readFile, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { toHex } from '../../core/index.ts'
import { verifyArchive } from '../../storage-worker/index.ts'
import { bodyRange, encodeBodyKey, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { type BlockHandle, findTableDamage, openTable } from '../../storage-worker/table-file.ts'
import { readKeyRange, scanTable } from '../../storage-worker/table-scan.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
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

  describe('in a table with blocks of more than 64 KiB', () => {
    const LARGE = { identity: { ...TEST_IDENTITY, chunkSizeBytes: 128 * 1024 }, operationBytes: 60_000 }
    let dataDir: string
    let path: string
    let intact: Buffer
    let blocks: BlockHandle[]

    beforeEach(async () => {
      dataDir = await folders.make()
      const openIt = () => openTestStore(dataDir, { identity: LARGE.identity })
      const store = await openIt()
      // Not in their order: their numbers do not continue one another.
      for (const number of [2, 1, 3]) await store.chunks.writePeriod(makePeriod(number, LARGE))
      await store.close()
      await (await openIt()).close()
      const tables = await listTables(dataDir)
      assert.equal(tables.length, 1)
      path = tables[0] ?? ''
      intact = await readFile(path)
      const file = openSync(path, 'r')
      blocks = openTable(file)
        .listBlocks()
        .map(({ handle }) => handle)
      closeSync(file)
      assert.ok(blocks.filter(({ size }) => size > 64 * 1024).length >= 6)
    })

    /** Where the kind and the sequence number of each entry begin, behind its key, of which at least the end is written out. */
    function listTagPlaces(): number[] {
      const places: number[] = []
      const visit = (key: Uint8Array, value: Uint8Array | undefined) => {
        assert.ok(value)
        const at = intact.indexOf(value.subarray(0, 32))
        assert.equal(intact[at - 8 - 1], key.at(-1))
        places.push(at - 8)
      }
      assert.equal(scanTable(path, ALL, visit), undefined)
      return places
    }

    async function withFlip(at: number, check: (message: string) => Promise<void> | void): Promise<void> {
      const byte = intact[at] ?? 0
      await writeByte(path, at, byte ^ 0x10)
      await check(`byte ${at}`)
      await writeByte(path, at, byte)
    }

    it('finds a flipped byte in the kind or sequence number of any entry', async () => {
      const places = listTagPlaces()
      assert.ok(places.length >= 15)
      for (const place of places) {
        for (let i = 0; i < 8; i++) {
          await withFlip(place + i, (message) => {
            assert.equal(typeof scanTable(path, ALL, () => undefined), 'string', message)
            assert.equal(typeof findTableDamage(path, true), 'string', message)
          })
        }
      }
    })

    it('thorough: finds a flipped byte in the kind or CRC of any block', async () => {
      for (const { offset, size } of blocks) {
        for (let i = 0; i < 5; i++) {
          await withFlip(offset + size + i, (message) => {
            assert.equal(typeof scanTable(path, ALL, () => undefined, true), 'string', message)
            assert.equal(typeof findTableDamage(path, true), 'string', message)
          })
        }
      }
    })

    it('a value that does not fit its seal is no damage of the table', async () => {
      for (const { offset, size } of blocks.filter(({ size }) => size > 64 * 1024)) {
        await withFlip(offset + (size >> 1), (message) => {
          assert.equal(
            scanTable(path, ALL, () => undefined, true),
            undefined,
            message,
          )
          assert.equal(findTableDamage(path, true), undefined, message)
        })
      }
      const large = blocks.find(({ size }) => size > 64 * 1024)
      assert.ok(large)
      await withFlip(large.offset + (large.size >> 1), async () => {
        const store = await openTestStore(dataDir, { identity: LARGE.identity })
        const refetchPeriod = async (number: number) => makePeriod(number, LARGE)
        const { damages } = await verifyArchive(store.chunks, { deep: true, repair: true, refetchPeriod })
        assert.deepEqual(
          damages.map(({ code, repaired }) => [code, repaired]),
          [['STORE_VALUE_CORRUPT', true]],
        )
        assert.deepEqual((await verifyArchive(store.chunks, { deep: true })).damages, [])
        await store.close()
      })
    })

    it('verify names the table: for a sequence number always, for a CRC with deep', async () => {
      const large = blocks.find(({ size }) => size > 64 * 1024)
      assert.ok(large)
      const check = async (deep: boolean, threads: number) => {
        const store = await openTestStore(dataDir, { identity: LARGE.identity })
        const { damages } = await verifyArchive(store.chunks, { deep, threads })
        await store.close()
        return damages.map(({ what, code }) => `${what} ${code}`)
      }
      const named = [`bodies/${basename(path)} STORE_DATABASE_DAMAGED`]
      const tag = listTagPlaces().find((place) => place > large.offset && place < large.offset + large.size)
      assert.ok(tag)
      for (const threads of [0, 2]) {
        assert.deepEqual(await check(true, threads), [])
        await withFlip(tag + 1, async () => {
          assert.deepEqual(await check(false, threads), named)
        })
        await withFlip(large.offset + large.size + 2, async () => {
          assert.deepEqual(await check(true, threads), named)
        })
      }
    })
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

async function writeByte(path: string, at: number, byte: number): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Uint8Array.of(byte), 0, 1, at)
  await file.close()
}
