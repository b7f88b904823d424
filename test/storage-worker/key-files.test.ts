import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../core/index.ts'
import { readOrCreateKey } from '../../storage-worker/index.ts'
import { repairKey } from '../../storage-worker/key-files.ts'

describe('storage-worker/key-files', () => {
  let dir: string
  const refused = (error: unknown) => isArchiveError(error, 'STORE_KEY_INVALID')

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'massa-storage-key-'))
  })

  afterEach(() => rm(dir, { recursive: true }))

  it('is made once, for its owner alone, and read again', async () => {
    const seed = await readOrCreateKey(dir, 'archiver.key')
    assert.equal(seed.length, 32)
    assert.deepEqual(await readOrCreateKey(dir, 'archiver.key'), new Uint8Array(seed))
    assert.equal((await stat(join(dir, 'archiver.key'))).mode & 0o777, 0o600)
  })

  it('error: refuses a key that others may read', async () => {
    await readOrCreateKey(dir, 'archiver.key')
    await chmod(join(dir, 'archiver.key'), 0o644)
    await assert.rejects(readOrCreateKey(dir, 'archiver.key'), refused)
  })

  it('error: refuses a file of which any byte is flipped, and mends it', async () => {
    const seed = new Uint8Array(await readOrCreateKey(dir, 'archiver.key'))
    const path = join(dir, 'archiver.key')
    const whole = await readFile(path)
    for (let at = 0; at < whole.length; at++) {
      for (const bits of [1, 0x10, 0x2a, 0x80]) {
        const flipped = Buffer.from(whole)
        flipped[at] = (flipped[at] ?? 0) ^ bits
        await writeFile(path, flipped)
        await assert.rejects(readOrCreateKey(dir, 'archiver.key'), refused, `byte ${at}`)
        if (bits === 1 || at % 7 === 0) assert.ok(await repairKey(dir, 'archiver.key'), `byte ${at}`)
        else await writeFile(path, whole)
        assert.deepEqual(await readFile(path), whole)
      }
    }
    assert.deepEqual(new Uint8Array(await readOrCreateKey(dir, 'archiver.key')), seed)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('makes no key up from a file of which two bytes are flipped', async () => {
    await readOrCreateKey(dir, 'archiver.key')
    const path = join(dir, 'archiver.key')
    const bytes = await readFile(path)
    for (const at of [5, 20]) bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41
    await writeFile(path, bytes)
    assert.equal(await repairKey(dir, 'archiver.key'), false)
    assert.deepEqual(await readFile(path), bytes)
  })

  it('error: refuses a file that holds no secret key', async () => {
    await writeFile(join(dir, 'archiver.key'), 'S1nothing', { mode: 0o600 })
    await assert.rejects(readOrCreateKey(dir, 'archiver.key'), refused)
  })
})
