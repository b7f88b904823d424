import assert from 'node:assert/strict'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyArchive } from '../../storage-worker/index.ts'
import { bodyRange } from '../../storage-worker/keyspace.ts'
import { findDamagedTables } from '../../storage-worker/table-file.ts'
import { scanTable } from '../../storage-worker/table-scan.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

describe('storage-worker/table-file', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it('takes every table that LevelDB writes, and no half table for a damaged one', async () => {
    const dataDir = await folders.make()
    const first = await openTestStore(dataDir)
    for (let number = 0; number < 200; number++) await first.chunks.writePeriod(makePeriod(number))
    await first.chunks.deletePeriods(0, 50)
    await first.close()
    // As a crash in the middle of writing a table leaves it.
    await writeFile(join(dataDir, 'bodies', '009999.ldb'), new Uint8Array(1000))
    const store = await openTestStore(dataDir)
    for (const level of [store.chunks.bodies, store.chunks.index]) {
      const live = level.listTables()
      assert.ok(live && live.size > 0)
      assert.deepEqual(findDamagedTables(level.location ?? '', live, true), [])
    }
    // And as it looks while one is being written.
    await writeFile(join(dataDir, 'bodies', '009998.ldb'), new Uint8Array(1000))
    assert.deepEqual((await verifyArchive(store.chunks, {})).damages, [])
    await store.close()
  })

  it('finds a flipped bit in the Bloom filter, which would hide values from reads', async () => {
    const dataDir = await folders.make()
    const first = await openTestStore(dataDir)
    for (let number = 0; number < 20; number++) await first.chunks.writePeriod(makePeriod(number))
    await first.close()
    // Opening turns the log into a table.
    await (await openTestStore(dataDir)).close()
    const folder = join(dataDir, 'bodies')
    const name = (await readdir(folder)).find((file) => file.endsWith('.ldb'))
    assert.ok(name)
    const intact = await readFile(join(folder, name))
    // The filter ends where the metaindex begins, to which the footer points: behind its bytes stand kind and CRC.
    const metaindexAt = readVarint(intact.subarray(intact.length - 48))
    for (const before of [6, 7, 15, 40, 100]) {
      const damaged = Buffer.from(intact)
      const at = metaindexAt - before
      damaged[at] = (damaged[at] ?? 0) ^ 1
      await writeFile(join(folder, name), damaged)
      assert.equal(findDamagedTables(folder, undefined, true).length, 1, `${before} bytes before the metaindex`)
      assert.equal(typeof scanTable(join(folder, name), bodyRange(0, 100), () => undefined), 'string')
    }
  })

  it('refuses files that are no tables', async () => {
    const folder = await folders.make()
    await writeFile(join(folder, '000001.ldb'), new Uint8Array(0))
    await writeFile(join(folder, '000002.ldb'), new Uint8Array(500))
    await writeFile(join(folder, '000003.log'), new Uint8Array(500))
    await copyFile(join(folder, '000002.ldb'), join(folder, '000004.sst'))
    const names = (live?: Set<number>) => findDamagedTables(folder, live, true).map(({ name }) => name)
    assert.deepEqual(names(), ['000001.ldb', '000002.ldb', '000004.sst'])
    assert.deepEqual(names(new Set([2, 3])), ['000002.ldb'])
    assert.deepEqual(findDamagedTables(join(folder, 'absent'), undefined, true), [])
  })
})

function readVarint(bytes: Uint8Array): number {
  let value = 0
  for (const [i, byte] of bytes.entries()) {
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  return value
}
