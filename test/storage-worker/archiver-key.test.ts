import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../core/index.ts'
import { readOrCreateArchiverKey } from '../../storage-worker/index.ts'

describe('storage-worker/archiver-key', () => {
  let dir: string
  const refused = (error: unknown) => isArchiveError(error, 'STORE_KEY_INVALID')

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'massa-storage-key-'))
  })

  afterEach(() => rm(dir, { recursive: true }))

  it('is made once, for its owner alone, and read again', async () => {
    const seed = await readOrCreateArchiverKey(dir)
    assert.equal(seed.length, 32)
    assert.deepEqual(await readOrCreateArchiverKey(dir), new Uint8Array(seed))
    assert.equal((await stat(join(dir, 'archiver.key'))).mode & 0o777, 0o600)
  })

  it('error: refuses a key that others may read', async () => {
    await readOrCreateArchiverKey(dir)
    await chmod(join(dir, 'archiver.key'), 0o644)
    await assert.rejects(readOrCreateArchiverKey(dir), refused)
  })

  it('error: refuses a file that holds no secret key', async () => {
    await writeFile(join(dir, 'archiver.key'), 'S1nothing', { mode: 0o600 })
    await assert.rejects(readOrCreateArchiverKey(dir), refused)
  })
})
