import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkDatabaseFiles, isBlank, listLostLogs } from '../../storage-worker/database-files.ts'
import { GuardedLevel } from '../../storage-worker/guarded-level.ts'
import { readIdentity } from '../../storage-worker/index.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'
import { createFaultyLevels } from '../fault/faulty-level.ts'
import { assertHolds, hasCode } from '../suites/chunk-store-suite.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()
const NO_SIZES = new Map<string, number>()

describe('storage-worker/database-files', () => {
  afterEach(() => folders.clean())

  it('takes a folder for blank as long as nothing was written into its database', async () => {
    const location = join(await folders.make(), 'bodies')
    assert.ok(isBlank(location))
    const create = () => createClassicLevel(location, {})
    const level = await GuardedLevel.open({ name: 'bodies', create })
    assert.ok(isBlank(location))
    await level.write([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(1) }], { sync: true })
    assert.ok(!isBlank(location))
    await level.close()
    await (await GuardedLevel.open({ name: 'bodies', create })).close()
    // In a table now, the log is empty.
    assert.ok(!isBlank(location))
  })

  it('limit: a start that was killed while it made the databases is begun again, whatever it had made', async () => {
    const whole = await folders.make()
    await (await GuardedLevel.open({ name: 'x', create: () => createClassicLevel(join(whole, 'bodies'), {}) })).close()
    const made = readdirSync(join(whole, 'bodies'))
    assert.ok(made.includes('CURRENT'))
    for (const left of [[], ['LOCK'], ['LOCK', 'MANIFEST-000001'], made]) {
      const dataDir = await folders.make()
      mkdirSync(join(dataDir, 'bodies'))
      for (const name of left) writeFileSync(join(dataDir, 'bodies', name), '')
      if (left === made) {
        rmSync(join(dataDir, 'bodies'), { recursive: true })
        await (
          await GuardedLevel.open({ name: 'x', create: () => createClassicLevel(join(dataDir, 'bodies'), {}) })
        ).close()
      }
      const store = await openTestStore(dataDir)
      await store.chunks.writePeriod(makePeriod(1))
      await store.close()
      const again = await openTestStore(dataDir)
      await assertHolds(again.chunks, makePeriod(1))
      await again.close()
    }
  })

  it('writes store.json only once both databases are there', async () => {
    const dataDir = await folders.make()
    const createLevel = (location: string, options: object) => {
      if (location.endsWith('index')) throw new Error('no index')
      return createClassicLevel(location, options)
    }
    await assert.rejects(openTestStore(dataDir, { createLevel }), /no index/)
    assert.equal(await readIdentity(dataDir), undefined)
    await (await openTestStore(dataDir)).close()
    assert.deepEqual((await readIdentity(dataDir))?.identity, TEST_IDENTITY)
  })

  it('error: a database whose files are lost while it is open is not made anew when it is opened again', async () => {
    const dataDir = await folders.make()
    let fails = false
    const createLevel = createFaultyLevels(({ done }) => {
      if (fails && !done) throw new Error('IO error: Input/output error')
    })
    const store = await openTestStore(dataDir, { createLevel })
    await store.chunks.writePeriod(makePeriod(1))
    fails = true
    await assert.rejects(store.chunks.writePeriod(makePeriod(2)), hasCode('STORE_WRITE_FAILED'))
    rmSync(join(dataDir, 'bodies', 'CURRENT'))
    fails = false
    const files = readdirSync(join(dataDir, 'bodies')).filter((name) => /\.(ldb|log)$/.test(name))
    await assert.rejects(store.chunks.writePeriod(makePeriod(2)), hasCode('STORE_DATABASE_DAMAGED'))
    for (const name of files) assert.ok(existsSync(join(dataDir, 'bodies', name)), name)
    await store.close()
    const repaired = await openTestStore(dataDir, { repair: true })
    await assertHolds(repaired.chunks, makePeriod(1))
    await repaired.close()
  })

  it('finds nothing lost in a database that is open and moves its files', async () => {
    const location = await folders.make()
    const options = { writeBufferSize: 64 * 1024, maxFileSize: 1024 * 1024, compression: false }
    const level = await GuardedLevel.open({ name: 'test', create: () => createClassicLevel(location, options) })
    for (let i = 0; i < 300; i++) {
      const writing = level.write(
        [{ type: 'put', key: Uint8Array.of(i % 50), value: new Uint8Array(20_000).fill(i) }],
        { sync: false },
      )
      checkDatabaseFiles('test', location, NO_SIZES)
      assert.deepEqual(listLostLogs(location, NO_SIZES), [])
      await writing
    }
    await level.close()
  })
})
