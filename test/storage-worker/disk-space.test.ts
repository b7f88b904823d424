import assert from 'node:assert/strict'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ballast } from '../../storage-worker/ballast.ts'
import { DiskSpace, FREE_FLOOR_BYTES, LevelChunkStore } from '../../storage-worker/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openMemoryLevel, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describe('storage-worker/disk-space', () => {
  afterEach(() => folders.clean())

  it('limit: archives at 256 MiB free, not one byte below', async () => {
    const dataDir = await folders.make()
    let free = FREE_FLOOR_BYTES
    const disk = new DiskSpace({ dataDir, readFreeBytes: async () => free })
    const modules = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index'), disk }
    const store = new LevelChunkStore(TEST_IDENTITY, modules)
    assert.equal(free, 268_435_456)
    await store.writePeriod(makePeriod(1))
    free--
    await assert.rejects(store.writePeriod(makePeriod(2)), hasCode('STORE_DISK_FULL'))
    assert.equal(await store.readManifest(2), undefined)
    free++
    await store.writePeriod(makePeriod(2))
  })

  it('limit: fills the quota to its last byte of 10^9, and counts files in all folders', async () => {
    const dataDir = await folders.make()
    await mkdir(join(dataDir, 'a', 'b'), { recursive: true })
    await writeFile(join(dataDir, 'x'), new Uint8Array(300))
    await writeFile(join(dataDir, 'a', 'b', 'y'), new Uint8Array(700))
    const disk = new DiskSpace({ dataDir, quotaGb: 2e-6, readFreeBytes: async () => 1e12 })
    assert.equal(disk.quotaBytes, 2000)
    assert.equal(await disk.readUsedBytes(), 1000)
    // A tenth of it is for the spool.
    await assert.rejects(disk.checkRoom(801), hasCode('STORE_QUOTA_FULL'))
    await disk.checkRoom(400)
    // Counted before the next sum.
    await assert.rejects(disk.checkRoom(401), hasCode('STORE_QUOTA_FULL'))
    await disk.checkRoom(400)
    disk.forgetUsed()
    assert.equal(await disk.readUsedBytes(), 1000)
  })

  it('limit: the spool may take a tenth of the quota, three quarters of that for what nothing waits for', async () => {
    const dataDir = await folders.make()
    const disk = new DiskSpace({ dataDir, quotaGb: 2e-6, readFreeBytes: async () => 1e12 })
    assert.equal(disk.spoolBytes, 200)
    for (const [level, most] of [
      ['urgent', 200],
      ['ordinary', 150],
      ['again', 120],
    ] as const) {
      await disk.checkSpoolRoom(most, level)
      await assert.rejects(disk.checkSpoolRoom(most + 1, level), hasCode('STORE_SPOOL_FULL'), level)
    }
    assert.equal(new DiskSpace({ dataDir, quotaGb: 1000 }).spoolBytes, 10e9)
    assert.equal(new DiskSpace({ dataDir }).spoolBytes, 10e9)
  })

  it('what waits in the spool takes nothing from the periods, nor do they from it', async () => {
    const dataDir = await folders.make()
    await writeFile(join(dataDir, 'x'), new Uint8Array(1950))
    const disk = new DiskSpace({ dataDir, quotaGb: 2e-6, readFreeBytes: async () => 1e12 })
    await assert.rejects(disk.checkRoom(1), hasCode('STORE_QUOTA_FULL'))
    await disk.checkSpoolRoom(150, 'ordinary')
    await assert.rejects(disk.checkRoom(1), hasCode('STORE_QUOTA_FULL'))
    await disk.checkSpoolRoom(160, 'urgent')
    await disk.checkRoom(10)
    await assert.rejects(disk.checkRoom(1), hasCode('STORE_QUOTA_FULL'))
  })

  it('says what the periods take of what they may: the part of the spool is not theirs, whatever waits in it', async () => {
    const dataDir = await folders.make()
    await writeFile(join(dataDir, 'x'), new Uint8Array(1000))
    const disk = new DiskSpace({ dataDir, quotaGb: 2e-6, readFreeBytes: async () => 1e12 })
    assert.deepEqual(await disk.readArchiveRoom(), { usedBytes: 1000, mostBytes: 1800 })
    await disk.checkSpoolRoom(150, 'ordinary')
    assert.deepEqual(await disk.readArchiveRoom(), { usedBytes: 850, mostBytes: 1800 })
    await disk.checkRoom(300)
    assert.deepEqual(await disk.readArchiveRoom(), { usedBytes: 1150, mostBytes: 1800 })
    assert.equal(await new DiskSpace({ dataDir }).readArchiveRoom(), undefined)
  })

  it('limit: the spool goes on below the floor, down to half of it, and a quarter for what is waited for', async () => {
    let free = 0
    const disk = new DiskSpace({ dataDir: await folders.make(), floorBytes: 1000, readFreeBytes: async () => free })
    for (const [level, least] of [
      ['urgent', 250],
      ['ordinary', 500],
      ['again', 750],
    ] as const) {
      free = least
      await disk.checkSpoolRoom(1, level)
      free = least - 1
      await assert.rejects(disk.checkSpoolRoom(1, level), hasCode('STORE_SPOOL_FULL'), level)
    }
  })

  it('names in each refusal the numbers and the setting to change', async () => {
    let free = 100
    const dataDir = await folders.make()
    await writeFile(join(dataDir, 'x'), new Uint8Array(1000))
    const disk = new DiskSpace({ dataDir, floorBytes: 1000, quotaGb: 1e-6, readFreeBytes: async () => free })
    await assert.rejects(disk.checkRoom(1), /100 bytes are free.*store\.min_free_bytes = 1000/)
    await assert.rejects(disk.checkSpoolRoom(1, 'ordinary'), /100 bytes are free.* 500, .*store\.min_free_bytes = 1000/)
    free = 1e12
    await assert.rejects(disk.checkRoom(1), /1001 of 900 bytes.*allocated_storage_gb.*retention_periods/)
    await assert.rejects(disk.checkSpoolRoom(76, 'ordinary'), /76 of 75 bytes.*allocated_storage_gb/)
  })

  it('sums again after ten seconds', async () => {
    const dataDir = await folders.make()
    let nowMs = 0
    const disk = new DiskSpace({ dataDir, nowMs: () => nowMs })
    assert.equal(await disk.readUsedBytes(), 0)
    await writeFile(join(dataDir, 'x'), new Uint8Array(5))
    nowMs = 9999
    assert.equal(await disk.readUsedBytes(), 0)
    nowMs = 10_000
    assert.equal(await disk.readUsedBytes(), 5)
  })

  it('error: a disk that does not say what is free or used is STORE_READ_FAILED, no bug', async () => {
    const dataDir = await folders.make()
    const failing = new DiskSpace({ dataDir, readFreeBytes: () => Promise.reject(new Error('EIO: i/o error, statfs')) })
    await assert.rejects(failing.checkRoom(1), hasCode('STORE_READ_FAILED'))
    await assert.rejects(failing.checkSpoolRoom(1, 'urgent'), hasCode('STORE_READ_FAILED'))
    const gone = new DiskSpace({ dataDir: `${dataDir}/gone` })
    await assert.rejects(gone.readUsedBytes(), hasCode('STORE_READ_FAILED'))
    await assert.rejects(gone.readFreeBytes(), hasCode('STORE_READ_FAILED'))
  })

  it('knows no quota when it is 0', async () => {
    const disk = new DiskSpace({ dataDir: await folders.make(), quotaGb: 0, readFreeBytes: async () => 1e12 })
    await disk.checkRoom(1e15)
  })
})

describe('storage-worker/ballast', () => {
  afterEach(() => folders.clean())

  it('is made when there is room for it above the floor, given up, and made again', async () => {
    const dataDir = await folders.make()
    let free = 0
    const disk = new DiskSpace({ dataDir, floorBytes: 1000, readFreeBytes: async () => free })
    const ballast = new Ballast(disk, 3_000_000)
    free = 3_000_999
    await ballast.restore()
    assert.equal(ballast.isPresent, false)
    free = 3_001_000
    await ballast.restore()
    assert.equal((await stat(join(dataDir, 'ballast'))).size, 3_000_000)
    // Enough of it is really on disk.
    assert.ok((await stat(join(dataDir, 'ballast'))).blocks * 512 >= 3_000_000)
    await ballast.release()
    await assert.rejects(stat(join(dataDir, 'ballast')))
    await ballast.restore()
    assert.equal(ballast.isPresent, true)
  })

  it('is none when its size is 0', async () => {
    const dataDir = await folders.make()
    const ballast = new Ballast(new DiskSpace({ dataDir }), 0)
    await ballast.restore()
    await ballast.release()
    await assert.rejects(stat(join(dataDir, 'ballast')))
  })
})
