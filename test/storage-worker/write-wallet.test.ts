import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../core/index.ts'
import { writeNewWallet } from '../../storage-worker/index.ts'

describe('storage-worker/write-wallet', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-write-wallet-'))
  })

  afterEach(() => rmSync(dir, { recursive: true }))

  it('writes a file and folders that only the owner may enter, whatever the umask, and nothing beside it', async () => {
    const old = process.umask(0)
    try {
      await writeNewWallet(join(dir, 'a', 'b', 'w.yaml'), 'text\n')
    } finally {
      process.umask(old)
    }
    assert.deepEqual(readdirSync(join(dir, 'a', 'b')), ['w.yaml'])
    assert.equal(readFileSync(join(dir, 'a', 'b', 'w.yaml'), 'utf8'), 'text\n')
    assert.equal(statSync(join(dir, 'a', 'b', 'w.yaml')).mode & 0o777, 0o600)
    assert.equal(statSync(join(dir, 'a')).mode & 0o777, 0o700)
  })

  it('error: writes over nothing, not even through a link', async () => {
    const path = join(dir, 'w.yaml')
    writeFileSync(path, 'old')
    symlinkSync('nowhere', join(dir, 'link'))
    for (const name of ['w.yaml', 'link']) {
      await assert.rejects(writeNewWallet(join(dir, name), 'new'), (error) =>
        isArchiveError(error, 'WALLET_FILE_EXISTS'),
      )
    }
    assert.equal(readFileSync(path, 'utf8'), 'old')
    assert.deepEqual(readdirSync(dir).sort(), ['link', 'w.yaml'])
  })

  it('error: a folder that cannot be is said', async () => {
    writeFileSync(join(dir, 'file'), '')
    await assert.rejects(writeNewWallet(join(dir, 'file', 'w.yaml'), 'new'), (error) =>
      isArchiveError(error, 'WALLET_FILE_UNWRITABLE'),
    )
    assert.deepEqual(readdirSync(dir), ['file'])
  })
})
