import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isArchiveError } from '../../core/index.ts'
import { type Migration, type OpenStoreOptions, readDaemonInfo } from '../../storage-worker/index.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'
import { SCHEMA_VERSION } from '../../storage-worker/migrations.ts'
import { writeIdentity } from '../../storage-worker/store-identity.ts'
import { TEST_IDENTITY } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const LOCKER = fileURLToPath(new URL('./store-locker.mjs', import.meta.url))

describe('storage-worker/await-holder', () => {
  const folders = new TempFolders()
  /** No system has so many. */
  const DEAD = { pid: 2 ** 22 + 1, apiUrl: 'http://127.0.0.1:1' }
  const LONG_MS = 60_000
  let dataDir: string
  let locker: ChildProcess | undefined

  beforeEach(async () => {
    dataDir = await folders.make()
    await (await openTestStore(dataDir)).close()
  })
  afterEach(async () => {
    locker?.kill('SIGKILL')
    await folders.clean()
  })

  /** Another process takes LevelDB's lock and says nothing yet; the note is of one that was killed. */
  async function lock(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [LOCKER, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
    locker = child
    await once(createInterface({ input: child.stdout }), 'line')
    await writeFile(join(dataDir, 'daemon.json'), JSON.stringify(DEAD))
    return child
  }

  /** Calls `act` when LevelDB's lock was found taken and is tried again. */
  function onSecondAttempt(act: () => void): Partial<OpenStoreOptions> {
    let attempts = 0
    return {
      lockWaitMs: LONG_MS,
      createLevel: (location, options) => {
        if (location.endsWith('bodies') && ++attempts === 2) act()
        return createClassicLevel(location, options)
      },
    }
  }

  it('whoever has an archive open is noted before anything is migrated, recovered or made', async () => {
    await writeFile(join(dataDir, 'daemon.json'), JSON.stringify(DEAD))
    let noted: unknown
    await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: SCHEMA_VERSION - 1 })
    const look: Migration = {
      from: SCHEMA_VERSION - 1,
      migrate: async () => {
        noted = (await readDaemonInfo(dataDir))?.pid
      },
    }
    await (await openTestStore(dataDir, { migrations: [look] })).close()
    assert.equal(noted, process.pid)
  })

  it('who fails to open it is noted no longer', async () => {
    const failing: Migration = { from: SCHEMA_VERSION - 1, migrate: () => Promise.reject(new Error('power cut')) }
    await writeIdentity(dataDir, { identity: TEST_IDENTITY, schemaVersion: SCHEMA_VERSION - 1 })
    await assert.rejects(openTestStore(dataDir, { migrations: [failing] }), /power cut/)
    assert.equal(await readDaemonInfo(dataDir), undefined)
  })

  it('error: who has the lock is waited for where the note is of a process that is gone', async () => {
    const child = await lock()
    const opening = openTestStore(
      dataDir,
      onSecondAttempt(() => void child.stdin?.write('note\n')),
    )
    await assert.rejects(opening, (error) => {
      assert.ok(isArchiveError(error, 'STORE_LOCKED'), String(error))
      assert.equal(error.context.pid, child.pid)
      return true
    })
  })

  it('opens what is let go meanwhile', async () => {
    const child = await lock()
    const store = await openTestStore(
      dataDir,
      onSecondAttempt(() => child.kill('SIGKILL')),
    )
    await store.close()
  })

  it('limit: who does not say so in time stays unknown, and who is gone is not named', async () => {
    await lock()
    await assert.rejects(openTestStore(dataDir, { lockWaitMs: 0 }), (error) => {
      assert.ok(isArchiveError(error, 'STORE_LOCKED'), String(error))
      assert.equal(error.context.pid, undefined)
      assert.match(error.message, /in use by another process$/)
      return true
    })
  })

  it('error: the wait ends with the command', async () => {
    await lock()
    const ending = new AbortController()
    const options = onSecondAttempt(() => ending.abort())
    const opening = openTestStore(dataDir, { ...options, signal: ending.signal })
    await assert.rejects(opening, { name: 'AbortError' })
  })
})
