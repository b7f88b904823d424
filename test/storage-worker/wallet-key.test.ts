import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, isArchiveError } from '../../core/index.ts'
import { checkKey, readWalletAddress, readWalletKey } from '../../storage-worker/wallet-key.ts'
import { makeWallet } from '../devnet/node/face.ts'

const ADMIN = makeWallet('admin')
const POOR = makeWallet('poor')
const ADDRESS = 'AU115uNvG8LnjT6aEnbwC8A8avCbVJ2ciXzZgyEMLiJeyXKB12M4'
const WALLET = readFileSync(new URL(`../fixtures/wallet/wallet_${ADDRESS}.yaml`, import.meta.url), 'utf8')

describe('storage-worker/wallet-key', () => {
  let dir: string
  let asked: string[]
  let warnings: string[]

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-key-'))
  })

  after(() => rmSync(dir, { recursive: true }))

  beforeEach(() => {
    asked = []
    warnings = []
  })

  function write(name: string, text: string, mode = 0o600): string {
    const file = join(dir, name)
    writeFileSync(file, text)
    chmodSync(file, mode)
    return file
  }

  const sourceOf = (file: string, env: Record<string, string>) => ({
    file,
    env,
    onWarning: (text: string) => void warnings.push(text),
    readPassword: (from: string) => {
      asked.push(from)
      return Promise.resolve('pw')
    },
  })
  const read = (file: string, env: Record<string, string> = {}) => readWalletKey(sourceOf(file, env))
  const readAddress = (file: string, env: Record<string, string> = {}) => readWalletAddress(sourceOf(file, env))

  it('comes from the environment, else from a file of its owner, else not at all', async () => {
    const file = write('good', `${ADMIN.secret}\n`)
    assert.equal(await read(file), ADMIN.secret)
    assert.equal(await readAddress(file), ADMIN.address)
    assert.equal(await read(file, { MASSA_STORAGE_SECRET_KEY: POOR.secret }), POOR.secret)
    assert.equal(await readAddress('', { MASSA_STORAGE_SECRET_KEY: POOR.secret }), POOR.address)
    assert.equal(await read(''), undefined)
    assert.equal(await readAddress(''), undefined)
    assert.deepEqual(asked, [])
  })

  it('comes from a wallet file with its password; its address comes without', async () => {
    const file = write('wallet', WALLET)
    assert.equal(await readAddress(file), ADDRESS)
    assert.deepEqual(asked, [])
    assert.equal(await read(file), 'S1xtW9ZbiK5RM48Gh4RQkc2uei3GRpZe7aDoBPeNohE95QEJgPb')
    assert.deepEqual(asked, [file])
    assert.deepEqual(warnings, [])
  })

  it('an encrypted wallet that others may read is said, as massa-client leaves it so', async () => {
    const file = write('shared', WALLET, 0o644)
    assert.equal(await readAddress(file), ADDRESS)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /may be read by others.*chmod 600/)
  })

  it('error: names the variable when that holds no key, and gives no advice for files alone', async () => {
    await assert.rejects(read('', { MASSA_STORAGE_SECRET_KEY: 'S1garbage' }), (error) => {
      assert(isArchiveError(error, 'CHAIN_KEY_INVALID'))
      assert.match(
        error.message,
        /^environment variable MASSA_STORAGE_SECRET_KEY, which wins over `contract\.key_file`,/,
      )
      assert.doesNotMatch(error.action, /Check the file/)
      return true
    })
    assert.equal(checkKey(` ${ADMIN.secret}\n`, 'x'), ADMIN.secret)
    assert.throws(() => checkKey('S1garbage', 'what was typed'), /^ArchiveError: what was typed is no Massa secret key/)
  })

  it('error: is refused without being shown when others may read it, it is damaged, or it is not there', async () => {
    const damaged = `${ADMIN.secret.slice(0, -1)}x`
    const files: readonly (readonly [string, ErrorCode])[] = [
      [write('open', ADMIN.secret, 0o640), 'CHAIN_KEY_INVALID'],
      [write('damaged', damaged), 'CHAIN_KEY_INVALID'],
      [write('long', 'S'.repeat(300)), 'CHAIN_KEY_INVALID'],
      [write('longer', 'S'.repeat(20_000)), 'CHAIN_KEY_INVALID'],
      [write('empty', ''), 'CHAIN_KEY_INVALID'],
      [join(dir, 'none'), 'CHAIN_KEY_INVALID'],
      [dir, 'CHAIN_KEY_INVALID'],
      [write('yaml', `key: ${ADMIN.secret}\n`), 'WALLET_FILE_INVALID'],
    ]
    const attempts = files.flatMap(([file, code]) => [
      [() => read(file), code] as const,
      [() => readAddress(file), code] as const,
    ])
    attempts.push([() => read('', { MASSA_STORAGE_SECRET_KEY: damaged }), 'CHAIN_KEY_INVALID'])
    for (const [attempt, code] of attempts) {
      await assert.rejects(attempt, (error) => {
        assert(isArchiveError(error, code), String(error))
        const shown = `${error.stack}${JSON.stringify(error.context)}${String(error.cause)}`
        assert(!shown.includes(ADMIN.secret.slice(1, 20)), shown)
        return true
      })
    }
  })
})
