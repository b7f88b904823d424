import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  forgetClosingSizes,
  listShortened,
  readClosingSizes,
  SIZES_FILE,
  sizesOf,
  writeClosingSizes,
} from '../../storage-worker/closing-sizes.ts'
import { readOrCreateKey } from '../../storage-worker/key-files.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describe('storage-worker/closing-sizes', () => {
  after(() => folders.clean())

  async function makeClosed(): Promise<string> {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    await readOrCreateKey(dataDir, 'archiver.key')
    await store.chunks.writePeriod(makePeriod(1))
    await store.close()
    return dataDir
  }

  it('says how long logs and manifests are once a store was closed', async () => {
    const dataDir = await makeClosed()
    const sizes = readClosingSizes(dataDir)
    for (const [name, size] of sizes) if (size > 0) assert.equal(statSync(join(dataDir, name)).size, size, name)
    const names = [...sizes.keys()].map((name) => name.replace(/\d+/, 'N'))
    const growing = ['bodies/N.log', 'bodies/MANIFEST-N', 'index/N.log', 'index/MANIFEST-N']
    assert.deepEqual(names.sort(), [...growing, 'archiver.key'].sort())
    assert.deepEqual(
      [...sizesOf(sizes, 'bodies').keys()].every((name) => !name.includes('/')),
      true,
    )
  })

  it('finds a file that is one byte shorter, and none that is as long, longer or gone', async () => {
    const dataDir = await makeClosed()
    const location = join(dataDir, 'bodies')
    const sizes = sizesOf(readClosingSizes(dataDir), 'bodies')
    const [log] = [...sizes.keys()].filter((name) => name.endsWith('.log'))
    assert.ok(log)
    const size = sizes.get(log) ?? 0
    assert.deepEqual(listShortened(location, sizes), [])
    truncateSync(join(location, log), size + 1)
    assert.deepEqual(listShortened(location, sizes), [])
    truncateSync(join(location, log), size - 1)
    assert.deepEqual(listShortened(location, sizes), [log])
    rmSync(join(location, log))
    assert.deepEqual(listShortened(location, sizes), [])
  })

  it('says nothing when it is damaged anywhere, and keeps no store from opening', async () => {
    const dataDir = await makeClosed()
    const path = join(dataDir, SIZES_FILE)
    const bytes = readFileSync(path)
    for (let at = 0; at < bytes.length - 1; at += 7) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      writeFileSync(path, flipped)
      assert.equal(readClosingSizes(dataDir).size, 0, `byte ${at}`)
    }
    for (const text of ['', 'null', '[]', '{}', '{"files":null}']) {
      writeFileSync(path, text)
      await (await openTestStore(dataDir)).close()
      assert.ok(readClosingSizes(dataDir).size > 0, text)
    }
  })

  it('leaves the older note and nothing half written where the new one cannot be written', async () => {
    const dataDir = await makeClosed()
    const before = readFileSync(join(dataDir, SIZES_FILE))
    // A folder in its place: the rename fails as on a full disk the write does.
    rmSync(join(dataDir, SIZES_FILE))
    mkdirSync(join(dataDir, SIZES_FILE, 'full'), { recursive: true })
    await writeClosingSizes(dataDir)
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name.endsWith('.tmp')),
      [],
    )
    rmSync(join(dataDir, SIZES_FILE), { recursive: true })
    writeFileSync(join(dataDir, SIZES_FILE), before)
    await writeClosingSizes(dataDir)
    assert.ok(readClosingSizes(dataDir).size > 0)
  })

  it('notes that there was a key until another one is there, through a repair too', async () => {
    const dataDir = await makeClosed()
    rmSync(join(dataDir, 'archiver.key'))
    await writeClosingSizes(dataDir)
    assert.ok(readClosingSizes(dataDir).has('archiver.key'))
    await forgetClosingSizes(dataDir)
    assert.deepEqual([...readClosingSizes(dataDir)], [['archiver.key', 0]])
  })
})
