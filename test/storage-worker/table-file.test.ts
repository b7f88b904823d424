import assert from 'node:assert/strict'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c } from '../../storage-worker/crc32c.ts'
import { verifyArchive } from '../../storage-worker/index.ts'
import { findDamagedTables } from '../../storage-worker/table-file.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

describe('storage-worker/table-file', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it('computes the CRC-32C of RFC 3720, B.4', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  })

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
