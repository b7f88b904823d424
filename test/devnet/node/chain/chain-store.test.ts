import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { isArchiveError } from '../../../../core/index.ts'
import { ChainStore } from '../../../../devnet/node/chain/chain-store.ts'

// As LevelDB said it on a full disk.
const FULL = Object.assign(new Error('IO error: chain/000003.log: No space left on device'), { code: 'LEVEL_IO_ERROR' })
const BROKEN = Object.assign(new Error('IO error: chain/000003.log: Input/output error'), { code: 'LEVEL_IO_ERROR' })
const CHANGES = [{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) }] as const

describe('devnet/node/chain/chain-store', () => {
  let folder: string
  let store: ChainStore | undefined

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'massa-storage-chain-store-'))
  })

  afterEach(async () => {
    await store?.close()
    store = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  /** Everything that the database is asked to do while `run` goes on fails. */
  async function failing(method: 'open' | 'batch', cause: Error, run: () => Promise<void>): Promise<void> {
    const honest = Object.getOwnPropertyDescriptor(ClassicLevel.prototype, method)
    const fail = () => Promise.reject(cause)
    Object.defineProperty(ClassicLevel.prototype, method, { configurable: true, value: fail })
    try {
      await run()
    } finally {
      // What it inherits comes to light again.
      if (honest) Object.defineProperty(ClassicLevel.prototype, method, honest)
      else Reflect.deleteProperty(ClassicLevel.prototype, method)
    }
  }

  function says(code: 'DEVNET_DISK_FULL' | 'DEVNET_CHAIN_UNAVAILABLE', reason: RegExp) {
    return (error: unknown) => {
      assert(isArchiveError(error, code), String(error))
      assert(error.message.includes(folder))
      assert.match(error.message, reason)
      return true
    }
  }

  it('error: a full disk is no bug, and stops every later write', async () => {
    const opened = await ChainStore.open(folder)
    store = opened
    const expected = says('DEVNET_DISK_FULL', /No space left on device/)
    await failing('batch', FULL, async () => {
      await assert.rejects(opened.write(CHANGES), expected)
    })
    await assert.rejects(opened.write(CHANGES), expected)
    await assert.rejects(opened.written(), expected)
    assert.equal(await opened.get(Uint8Array.of(1)), undefined)
  })

  it('error: a disk that fails has a code as well', async () => {
    const opened = await ChainStore.open(folder)
    store = opened
    await failing('batch', BROKEN, async () => {
      await assert.rejects(opened.write(CHANGES), says('DEVNET_CHAIN_UNAVAILABLE', /Input\/output error/))
    })
  })

  it('error: opening says why it failed: a full disk, another process, a file in the way', async () => {
    const notOpen = Object.assign(new Error('Database failed to open', { cause: FULL }), {
      code: 'LEVEL_DATABASE_NOT_OPEN',
    })
    await failing('open', notOpen, async () => {
      await assert.rejects(ChainStore.open(folder), says('DEVNET_DISK_FULL', /No space left on device/))
    })
    store = await ChainStore.open(folder)
    await assert.rejects(ChainStore.open(folder), says('DEVNET_CHAIN_UNAVAILABLE', /open in another process/))
    writeFileSync(join(folder, 'file'), '')
    await assert.rejects(ChainStore.open(join(folder, 'file')), says('DEVNET_CHAIN_UNAVAILABLE', /EEXIST/))
  })

  it('a store that is used after it was closed is a bug', async () => {
    const opened = await ChainStore.open(folder)
    await opened.close()
    await assert.rejects(opened.write(CHANGES), (error) => !isArchiveError(error))
  })
})
