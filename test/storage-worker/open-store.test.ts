import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { HOLES_MARK, isArchiveError, type StoreIdentity } from '../../core/index.ts'
import { readIdentityCopy } from '../../storage-worker/identity-copy.ts'
import {
  type Migration,
  openStore,
  readDaemonInfo,
  readIdentity,
  readOrCreateKey,
  type Store,
  verifyArchive,
} from '../../storage-worker/index.ts'
import { bodyRange, encodeIndexKey } from '../../storage-worker/keyspace.ts'
import { createClassicLevel, INDEX_OPTIONS } from '../../storage-worker/level-options.ts'
import { MIGRATIONS, SCHEMA_VERSION } from '../../storage-worker/migrations.ts'
import { openValue, sealValue } from '../../storage-worker/sealed-value.ts'
import { writeIdentity } from '../../storage-worker/store-identity.ts'
import { assertHolds, hasCode } from '../suites/chunk-store-suite.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describe('storage-worker/open-store', () => {
  afterEach(() => folders.clean())

  it('writes down what the archive is for, and opens again without being told', async () => {
    const dataDir = join(await folders.make(), 'deep', 'below')
    await (await openTestStore(dataDir)).close()
    assert.deepEqual(await readIdentity(dataDir), { identity: TEST_IDENTITY, schemaVersion: SCHEMA_VERSION })
    const store = await openStore({ dataDir, freeFloorBytes: 0, ballastBytes: 0 })
    assert.deepEqual(store.chunks.identity, TEST_IDENTITY)
    await store.close()
    await store.close()
  })

  const others: [string, StoreIdentity][] = [
    ['chain id', { ...TEST_IDENTITY, network: { ...TEST_IDENTITY.network, chainId: 78n } }],
    ['genesis timestamp', { ...TEST_IDENTITY, network: { ...TEST_IDENTITY.network, genesisTimestampMs: 1n } }],
    ['chunk size', { ...TEST_IDENTITY, chunkSizeBytes: 8192 }],
  ]
  for (const [what, identity] of others) {
    it(`error: refuses an archive of another ${what}, and changes nothing of it`, async () => {
      const dataDir = await folders.make()
      const first = await openTestStore(dataDir)
      await first.chunks.writePeriod(makePeriod(1))
      await first.close()
      await assert.rejects(openTestStore(dataDir, { identity }), (error: Error) => {
        assert.match(error.message, new RegExp(what))
        return hasCode('STORE_IDENTITY_MISMATCH')(error)
      })
      const again = await openTestStore(dataDir)
      await assertHolds(again.chunks, makePeriod(1))
      await again.close()
    })

    it(`takes an empty archive of another ${what} for what it is asked for, and for good`, async () => {
      const dataDir = await folders.make()
      await (await openTestStore(dataDir)).close()
      const claimed = await openTestStore(dataDir, { identity })
      assert.deepEqual(claimed.chunks.identity, identity)
      assert.deepEqual((await readIdentityCopy(claimed.chunks.index))?.identity, identity)
      await claimed.close()
      assert.deepEqual((await readIdentity(dataDir))?.identity, identity)
      // What a crash between the two writes leaves.
      await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: SCHEMA_VERSION })
      const again = await openTestStore(dataDir, { identity })
      assert.deepEqual(again.chunks.identity, identity)
      await again.close()
    })
  }

  const waiting: [string, (store: Store) => Promise<void>][] = [
    ['a block that waits', ({ spool }) => spool.putBlock(makeBlock({ period: 1, thread: 0 }))],
    ['a final', ({ spool }) => spool.putFinal({ period: 1, thread: 0 }, makeBlock({ period: 1, thread: 0 }).id)],
    [
      'a block in quarantine',
      ({ spool }) =>
        spool.putQuarantined({ id: makeBlock({ period: 1, thread: 0 }).id, code: 'X', raw: new Uint8Array(1) }),
    ],
    ['execution results', ({ spool }) => spool.putExecution({ period: 1, thread: 0 }, new Uint8Array(1))],
    ['a mark', ({ spool }) => spool.putMark('gaps', new Uint8Array(1))],
  ]
  for (const [what, put] of waiting) {
    it(`error: refuses another network while the archive holds ${what}`, async () => {
      const dataDir = await folders.make()
      const store = await openTestStore(dataDir)
      await put(store)
      await store.close()
      const identity = { ...TEST_IDENTITY, network: { ...TEST_IDENTITY.network, chainId: 78n } }
      await assert.rejects(openTestStore(dataDir, { identity }), hasCode('STORE_IDENTITY_MISMATCH'))
      assert.deepEqual((await readIdentity(dataDir))?.identity, TEST_IDENTITY)
    })
  }

  it('error: refuses a store.json that was changed, cut off, or is gone beside a database', async () => {
    const dataDir = await folders.make()
    await (await openTestStore(dataDir)).close()
    const path = join(dataDir, 'store.json')
    const text = await readFile(path, 'utf8')
    for (const wrong of [text.replace('77', '78'), text.slice(0, 40), '', 'null', '[]']) {
      await writeFile(path, wrong)
      await assert.rejects(openTestStore(dataDir), hasCode('STORE_IDENTITY_DAMAGED'))
    }
    await rm(path)
    await assert.rejects(openTestStore(dataDir), hasCode('STORE_IDENTITY_DAMAGED'))
    await writeFile(path, text)
    await (await openTestStore(dataDir)).close()
  })

  describe('with repair, writes a damaged store.json again', () => {
    async function damage(periods: number): Promise<{ dataDir: string; path: string; text: string }> {
      const dataDir = await folders.make()
      const store = await openTestStore(dataDir)
      for (let number = 0; number < periods; number++) await store.chunks.writePeriod(makePeriod(number))
      await store.close()
      const path = join(dataDir, 'store.json')
      return { dataDir, path, text: await readFile(path, 'utf8') }
    }
    const repair = { freeFloorBytes: 0, ballastBytes: 0, repair: true }

    it('of databases that were made from what is left, which periods lack is counted anew', async () => {
      const { dataDir } = await damage(2)
      const before = await openStore({ dataDir, ...repair })
      await before.spool.putMark(HOLES_MARK, Uint8Array.of(1))
      await before.close()
      const sound = await openStore({ dataDir, ...repair })
      assert.deepEqual(await sound.spool.readMark(HOLES_MARK), Uint8Array.of(1))
      await sound.close()
      const rebuilt = await openStore({ dataDir, ...repair, rebuild: true })
      assert.equal(await rebuilt.spool.readMark(HOLES_MARK), undefined)
      await rebuilt.close()
    })

    it('from the copy in the index, whatever is left of the file', async () => {
      const { dataDir, path, text } = await damage(0)
      for (const wrong of [text.replace('77', '78'), text.replace('  ', ' \t'), text.slice(0, 40), '', undefined]) {
        if (wrong === undefined) await rm(path)
        else await writeFile(path, wrong)
        await assert.rejects(openTestStore(dataDir), hasCode('STORE_IDENTITY_DAMAGED'))
        const store = await openStore({ dataDir, ...repair })
        assert.deepEqual(store.chunks.identity, TEST_IDENTITY)
        assert.deepEqual(
          store.mended.map(({ what, code, repaired }) => [what, code, repaired]),
          [['store.json', 'STORE_IDENTITY_DAMAGED', true]],
        )
        await store.close()
        assert.equal(await readFile(path, 'utf8'), text)
      }
      const intact = await openStore({ dataDir, ...repair })
      assert.deepEqual(intact.mended, [])
      await intact.close()
    })

    it('from the manifests, when the archive is of a release that kept no copy', async () => {
      const { dataDir, path, text } = await damage(2)
      await dropCopy(dataDir)
      await rm(path)
      const store = await openStore({ dataDir, ...repair, chunkSizeBytes: 1 })
      assert.deepEqual(store.chunks.identity, TEST_IDENTITY)
      await store.close()
      assert.equal(await readFile(path, 'utf8'), text)
    })

    it('error: refuses when neither says it', async () => {
      const { dataDir, path } = await damage(0)
      await dropCopy(dataDir)
      await rm(path)
      await assert.rejects(openStore({ dataDir, ...repair, chunkSizeBytes: 4096 }), hasCode('STORE_IDENTITY_DAMAGED'))
    })

    it('error: refuses when the archive is another than the one that is asked for', async () => {
      const { dataDir, path } = await damage(0)
      await rm(path)
      const identity = { ...TEST_IDENTITY, chunkSizeBytes: 8192 }
      await assert.rejects(openStore({ dataDir, ...repair, identity }), hasCode('STORE_IDENTITY_MISMATCH'))
      await assert.rejects(readFile(path), { code: 'ENOENT' })
    })

    async function dropCopy(dataDir: string): Promise<void> {
      const index = createClassicLevel(join(dataDir, 'index'), INDEX_OPTIONS)
      await index.del(encodeIndexKey('journal', new TextEncoder().encode('identity')))
      await index.close()
    }
  })

  it('says which file is damaged beside an open archive, and writes it again', async () => {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    try {
      await readOrCreateKey(dataDir, 'archiver.key')
      for (let number = 0; number < 3; number++) await store.chunks.writePeriod(makePeriod(number))
      assert.deepEqual(await store.checkFiles(false), [])
      const log = (await readdir(join(dataDir, 'bodies'))).find((name) => name.endsWith('.log'))
      assert.ok(log)
      for (const [file, code] of [
        ['store.json', 'STORE_IDENTITY_DAMAGED'],
        ['archiver.key', 'STORE_KEY_INVALID'],
        [`bodies/${log}`, 'STORE_LOG_DAMAGED'],
      ] as const) {
        const bytes = await readFile(join(dataDir, file))
        bytes[20] = (bytes[20] ?? 0) ^ 1
        await writeFile(join(dataDir, file), bytes)
        for (const repair of [false, true]) {
          assert.deepEqual(await store.checkFiles(repair), [
            { what: file, code, repairable: true, ...(repair ? { repaired: true } : {}) },
          ])
        }
        assert.deepEqual(await store.checkFiles(false), [])
      }
      assert.deepEqual((await verifyArchive(store.chunks, { deep: true })).damages, [])
    } finally {
      await store.close()
    }
  })

  it('keeps a damaged log until a repair is done with it, since LevelDB drops what it cannot read of it', async () => {
    const dataDir = await folders.make()
    const first = await openTestStore(dataDir)
    for (let number = 0; number < 3; number++) await first.chunks.writePeriod(makePeriod(number))
    await first.close()
    const log = (await readdir(join(dataDir, 'bodies'))).find((name) => name.endsWith('.log'))
    assert.ok(log)
    const bytes = await readFile(join(dataDir, 'bodies', log))
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    await writeFile(join(dataDir, 'bodies', log), bytes)
    for (let opening = 0; opening < 2; opening++) {
      const store = await openTestStore(dataDir)
      assert.deepEqual(
        (await store.checkFiles(false)).map(({ what }) => what),
        [`bodies/${log}`],
      )
      assert.ok((await verifyArchive(store.chunks, {})).damages.some(({ code }) => code === 'STORE_VALUE_MISSING'))
      await store.close()
    }
    const store = await openTestStore(dataDir, { repair: true })
    await verifyArchive(store.chunks, { repair: true, refetchPeriod: async (number) => makePeriod(number) })
    assert.equal((await store.checkFiles(true))[0]?.repaired, true)
    assert.deepEqual(await store.checkFiles(false), [])
    for (let number = 0; number < 3; number++) await assertHolds(store.chunks, makePeriod(number))
    await store.close()
  })

  it('error: a manifest that LevelDB would read in part keeps it closed, and no table is lost by it', async () => {
    const dataDir = await folders.make()
    for (let opening = 0; opening < 3; opening++) {
      const store = await openTestStore(dataDir)
      await store.chunks.writePeriod(makePeriod(opening))
      await store.close()
    }
    const manifest = (await readdir(join(dataDir, 'bodies'))).find((name) => name.startsWith('MANIFEST-'))
    assert.ok(manifest)
    const path = join(dataDir, 'bodies', manifest)
    const bytes = await readFile(path)
    // The length of the second record: as if a crash had cut it off.
    const second = 7 + bytes.readUInt16LE(4)
    bytes[second + 5] = 0x70
    await writeFile(path, bytes)
    const tables = (await readdir(join(dataDir, 'bodies'))).filter((name) => name.endsWith('.ldb'))
    assert.ok(tables.length > 0)
    await assert.rejects(openTestStore(dataDir), hasCode('STORE_DATABASE_DAMAGED'))
    const repaired = await openTestStore(dataDir, { repair: true })
    assert.deepEqual(
      repaired.mended.map(({ what }) => what),
      [`bodies/${manifest}`],
    )
    for (let number = 0; number < 3; number++) await assertHolds(repaired.chunks, makePeriod(number))
    await repaired.close()
  })

  it('error: refuses to begin an archive when nobody says what for', async () => {
    await assert.rejects(openStore({ dataDir: await folders.make() }), hasCode('STORE_MISSING'))
  })

  it('error: refuses a newer schema, and an older one that nothing leads from', async () => {
    const dataDir = await folders.make()
    await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: SCHEMA_VERSION + 1 })
    await assert.rejects(openTestStore(dataDir), hasCode('STORE_SCHEMA_TOO_NEW'))
    await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: 0 })
    await assert.rejects(openTestStore(dataDir), hasCode('STORE_SCHEMA_TOO_OLD'))
  })

  describe('migrates an older layout', () => {
    it('of periods that are all whole, which this release need not write anew', async () => {
      const dataDir = await folders.make()
      const before = await openTestStore(dataDir)
      await before.chunks.writePeriod(makePeriod(1))
      await before.close()
      await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: 1 })
      const store = await openTestStore(dataDir)
      await assertHolds(store.chunks, makePeriod(1))
      assert.equal((await readIdentity(dataDir))?.schemaVersion, 2)
      assert.equal((await readIdentityCopy(store.chunks.index))?.schemaVersion, 2)
      await store.close()
    })

    it('on a full disk, with the room that the ballast has kept', async () => {
      const dataDir = await folders.make()
      await (await openTestStore(dataDir, { ballastBytes: 4096 })).close()
      assert.ok((await readdir(dataDir)).includes('ballast'))
      await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: 1 })
      const migrate = async () => {
        const isFull = (await readdir(dataDir)).includes('ballast')
        if (isFull) throw Object.assign(new Error('injected'), { code: 'ENOSPC' })
      }
      const store = await openTestStore(dataDir, { ballastBytes: 4096, migrations: [{ from: 1, migrate }] })
      assert.equal((await readIdentity(dataDir))?.schemaVersion, 2)
      await store.close()
    })

    // Invented: version 0 stored values without their hash.
    const unsealed = 5
    const sealAll: Migration = {
      from: 0,
      async migrate({ bodies, index }) {
        for await (const [key, value] of bodies.entries(bodyRange(0, unsealed))) {
          // Run again after a crash: what is sealed stays.
          if (openValue(value)) continue
          await bodies.write([{ type: 'put', key, value: sealValue(value) }], { sync: true })
        }
        assert.equal(index.isBroken, false)
      },
    }

    async function makeOldArchive(): Promise<string> {
      const dataDir = await folders.make()
      const store = await openTestStore(dataDir)
      for (let number = 0; number <= unsealed; number++) await store.chunks.writePeriod(makePeriod(number))
      for await (const [key, value] of store.chunks.bodies.entries(bodyRange(0, unsealed))) {
        await store.chunks.bodies.write([{ type: 'put', key, value: value.subarray(32) }], { sync: true })
      }
      const { index } = store.chunks
      for await (const key of index.keys({})) await index.write([{ type: 'del', key }], { sync: true })
      await store.close()
      await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: 0 })
      return dataDir
    }

    it('and everything is there afterwards', async () => {
      const dataDir = await makeOldArchive()
      const store = await openTestStore(dataDir, { migrations: [sealAll, ...MIGRATIONS] })
      for (let number = 0; number <= unsealed; number++) await assertHolds(store.chunks, makePeriod(number))
      assert.deepEqual((await verifyArchive(store.chunks, { deep: true })).damages, [])
      await store.close()
      assert.equal((await readIdentity(dataDir))?.schemaVersion, SCHEMA_VERSION)
      await (await openTestStore(dataDir, { migrations: [] })).close()
    })

    it('once more when it was interrupted', async () => {
      const dataDir = await makeOldArchive()
      let writes = 0
      const dying: Migration = {
        from: 0,
        migrate: (databases) =>
          sealAll.migrate({
            ...databases,
            bodies: new Proxy(databases.bodies, {
              get(target, name) {
                if (name === 'write' && ++writes > 7) throw new Error('power cut')
                const value = Reflect.get(target, name)
                return typeof value === 'function' ? value.bind(target) : value
              },
            }),
          }),
      }
      await assert.rejects(openTestStore(dataDir, { migrations: [dying, ...MIGRATIONS] }), /power cut/)
      assert.equal((await readIdentity(dataDir))?.schemaVersion, 0)
      const store = await openTestStore(dataDir, { migrations: [sealAll, ...MIGRATIONS] })
      for (let number = 0; number <= unsealed; number++) await assertHolds(store.chunks, makePeriod(number))
      await store.close()
    })
  })

  it('error: a second process refuses with the pid and API of the first, and neither is harmed', async function () {
    this.timeout(30_000)
    const dataDir = await folders.make()
    const holder = spawn(process.execPath, [...process.execArgv, HOLDER, dataDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      await once(createInterface({ input: holder.stdout }), 'line')
      await assert.rejects(openTestStore(dataDir), (error: Error) => {
        assert.ok(isArchiveError(error, 'STORE_LOCKED'), String(error))
        assert.equal(error.context.pid, holder.pid)
        assert.equal(error.context.apiUrl, 'http://127.0.0.1:1')
        return true
      })
    } finally {
      const exit = once(holder, 'exit')
      holder.kill('SIGKILL')
      await exit
    }
    // daemon.json is stale now: only LevelDB's lock decides.
    assert.equal((await readDaemonInfo(dataDir))?.pid, holder.pid)
    const store = await openTestStore(dataDir)
    await assertHolds(store.chunks, makePeriod(1))
    assert.equal((await readDaemonInfo(dataDir))?.pid, process.pid)
    await assert.rejects(openTestStore(dataDir), hasCode('STORE_LOCKED'))
    await store.close()
    assert.equal(await readDaemonInfo(dataDir), undefined)
  })

  it('opens beside a daemon.json that is torn', async () => {
    const dataDir = await folders.make()
    await writeFile(join(dataDir, 'daemon.json'), '{"pid":')
    await (await openTestStore(dataDir)).close()
  })

  it('error: names a database that does not open', async () => {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    await store.chunks.writePeriod(makePeriod(1))
    await store.close()
    await writeFile(join(dataDir, 'bodies', 'CURRENT'), 'MANIFEST-999999\n')
    await assert.rejects(
      openTestStore(dataDir),
      (error) => isArchiveError(error, 'STORE_DATABASE_DAMAGED') && error.context.file === 'CURRENT',
    )
  })

  it('does not leave a database open when opening fails', async () => {
    const dataDir = await folders.make()
    let opened = 0
    const createLevel = (location: string, options: object) => {
      if (++opened === 2) throw new Error('second')
      return createClassicLevel(location, options)
    }
    await assert.rejects(openTestStore(dataDir, { createLevel }), /second/)
    await (await openTestStore(dataDir)).close()
  })
})

const HOLDER = fileURLToPath(new URL('./store-holder.ts', import.meta.url))
