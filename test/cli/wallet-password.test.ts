import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Context } from '../../cli/context.ts'
import type { SecretTerminal } from '../../cli/secret-prompt.ts'
import { readPassword } from '../../cli/wallet-password.ts'
import { type ErrorCode, isArchiveError } from '../../core/index.ts'

const OLD = { question: 'Password of w.yaml', isNew: false }
const NEW = { question: 'Password of the new wallet', isNew: true }

describe('cli/wallet-password', () => {
  let dir: string
  let warnings: string[]

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-password-'))
    mkdirSync(join(dir, 'credentials'))
    warnings = []
  })

  afterEach(() => rmSync(dir, { recursive: true }))

  const contextOf = (given: { readonly env?: Record<string, string>; readonly passwordFile?: string }) =>
    ({
      env: {},
      cwd: dir,
      output: { json: true, warn: (text: string) => void warnings.push(text) },
      ...given,
    }) as unknown as Context

  function typing(...lines: readonly string[]): { terminal: SecretTerminal; shown(): string } {
    const input = Object.assign(new PassThrough(), { setRawMode: () => {} })
    for (const line of lines) input.write(`${line}\r`)
    const output = new PassThrough()
    return {
      terminal: { input, output } as unknown as SecretTerminal,
      shown: () => String(output.read() ?? ''),
    }
  }

  const credentials = () => ({ CREDENTIALS_DIRECTORY: join(dir, 'credentials') })

  async function refused(code: ErrorCode, promise: Promise<unknown>, secret = 'secret'): Promise<void> {
    await assert.rejects(promise, (error) => {
      assert(isArchiveError(error, code), String(error))
      assert(!error.message.includes(secret))
      return true
    })
  }

  it('the file comes before the environment, that before the credential, that before the question', async () => {
    writeFileSync(join(dir, 'pw'), 'of file\n')
    writeFileSync(join(dir, 'credentials', 'wallet-password'), 'of systemd')
    const env = { MASSA_STORAGE_PASSWORD: 'of environment', ...credentials() }
    assert.equal(await readPassword(contextOf({ passwordFile: 'pw', env }), OLD), 'of file')
    assert.equal(await readPassword(contextOf({ env }), OLD), 'of environment')
    assert.equal(
      await readPassword(contextOf({ env: { ...credentials(), MASSA_STORAGE_PASSWORD: '' } }), OLD),
      'of systemd',
    )
    rmSync(join(dir, 'credentials', 'wallet-password'))
    const typist = typing('typed')
    assert.equal(await readPassword(contextOf({ env: credentials() }), OLD, typist.terminal), 'typed')
    assert.equal(typist.shown(), 'Password of w.yaml: \n')
  })

  it('one line end after it is not part of it, spaces and a second one are', async () => {
    for (const [text, wanted] of [
      ['pw\n', 'pw'],
      ['pw\r\n', 'pw'],
      [' pw ', ' pw '],
      ['pw\n\n', 'pw\n'],
      ['é', 'é'],
    ] as const) {
      writeFileSync(join(dir, 'pw'), text)
      assert.equal(await readPassword(contextOf({ passwordFile: 'pw' }), OLD), wanted)
    }
  })

  it('a file that others may read is said, one of its owner is not', async () => {
    for (const [mode, count] of [
      [0o600, 0],
      [0o400, 0],
      [0o644, 1],
      [0o640, 1],
    ] as const) {
      warnings = []
      writeFileSync(join(dir, `${mode}`), 'pw\n')
      chmodSync(join(dir, `${mode}`), mode)
      assert.equal(await readPassword(contextOf({ passwordFile: `${mode}` }), OLD), 'pw')
      assert.equal(warnings.length, count)
    }
  })

  it('a new one is typed twice; one that is given is not', async () => {
    assert.equal(await readPassword(contextOf({}), NEW, typing('a', 'a').terminal), 'a')
    await refused('WALLET_PASSWORD_INVALID', readPassword(contextOf({}), NEW, typing('secret', 'b').terminal))
    assert.equal(await readPassword(contextOf({ env: { MASSA_STORAGE_PASSWORD: 'x' } }), NEW), 'x')
  })

  it('limit: 4,096 bytes and one more', async () => {
    writeFileSync(join(dir, 'pw'), `${'x'.repeat(4_096)}\r\n`)
    assert.equal((await readPassword(contextOf({ passwordFile: 'pw' }), OLD)).length, 4_096)
    for (const length of [4_097, 9_000_000]) {
      writeFileSync(join(dir, 'pw'), 'x'.repeat(length))
      await refused('WALLET_PASSWORD_INVALID', readPassword(contextOf({ passwordFile: 'pw' }), OLD), 'xxx')
    }
    const env = { MASSA_STORAGE_PASSWORD: 'é'.repeat(2_049) }
    await refused('WALLET_PASSWORD_INVALID', readPassword(contextOf({ env }), OLD), 'é')
  })

  it('error: none where nobody can be asked, an empty one, a file that is not there or is a folder', async () => {
    await refused('WALLET_PASSWORD_MISSING', readPassword(contextOf({}), OLD, undefined))
    await refused('WALLET_PASSWORD_INVALID', readPassword(contextOf({}), OLD, typing('').terminal))
    writeFileSync(join(dir, 'pw'), '\n')
    for (const passwordFile of ['pw', 'none', 'credentials', 'pw/x']) {
      await refused('WALLET_PASSWORD_INVALID', readPassword(contextOf({ passwordFile }), OLD))
    }
    mkdirSync(join(dir, 'credentials', 'wallet-password'))
    await refused('WALLET_PASSWORD_INVALID', readPassword(contextOf({ env: credentials() }), OLD))
  })
})
