import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { type Face, GENESIS_MS, makeRequestClock, makeWallet, startFace } from '../devnet/node/face.ts'
import { CliHost } from './cli-host.ts'
import { answerOf, assertRefused, type CliResult, runCli } from './run-cli.ts'

const RICH = makeWallet('rich')
const POOR = makeWallet('poor')
const THEIRS = 'AU115uNvG8LnjT6aEnbwC8A8avCbVJ2ciXzZgyEMLiJeyXKB12M4'
const FIXTURE = fileURLToPath(new URL(`../fixtures/wallet/wallet_${THEIRS}.yaml`, import.meta.url))
const THEIR_SECRET = 'S1xtW9ZbiK5RM48Gh4RQkc2uei3GRpZe7aDoBPeNohE95QEJgPb'

interface NewWallet {
  readonly address: string
  readonly file: string
  readonly configuredIn: string | null
}

describe('massa-storage wallet', function () {
  this.timeout(120_000)
  let face: Face
  let host: CliHost
  let dir: string

  before(async () => {
    host = new CliHost()
    face = await startFace(makeRequestClock(15_000), [RICH])
  })

  after(async () => {
    await face.close()
    await host.stop()
  })

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-wallet-'))
    mkdirSync(join(dir, 'config'))
    writeFileSync(
      join(dir, 'config', 'config.toml'),
      [
        '[distributed_storage]',
        '    [distributed_storage.node]',
        '        chain_id = 77',
        `        genesis_timestamp_ms = ${GENESIS_MS}`,
        '    [distributed_storage.contract]',
        `        json_rpc_url = "${face.url}"`,
        '',
      ].join('\n'),
    )
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const run = (args: readonly string[], env: Record<string, string> = {}) => host.run(args, { cwd: dir, env })
  const runAlone = (args: readonly string[], env: Record<string, string> = {}) => runCli(args, { cwd: dir, env })
  const use = (file: string) => ['--set', `contract.key_file=${file}`]

  const refused = (result: CliResult, code: string, exitCode: number) =>
    assertRefused(result, { code, exitCode, secrets: [THEIR_SECRET.slice(1), RICH.secret.slice(1), 'pass word'] })

  it('create writes a wallet of its owner, names it in the configuration, and the address needs no password', async () => {
    const made = answerOf<NewWallet>(
      await runAlone(['wallet', 'create', '--json'], { MASSA_STORAGE_PASSWORD: 'pass word' }),
    )
    assert.equal(made.file, join(dir, 'wallets', `wallet_${made.address}.yaml`))
    assert.equal(statSync(made.file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(join(dir, 'wallets')), [`wallet_${made.address}.yaml`])
    assert.equal(made.configuredIn, join(dir, 'config', 'config.toml'))
    assert(readFileSync(made.configuredIn, 'utf8').includes(`        key_file = "${made.file}"\n`))
    assert.equal((await runAlone(['wallet', 'address'])).stdout, `${made.address}\n`)
    const text = readFileSync(made.file, 'utf8')
    assert.match(text, /^Version: 1\nNickname: AU\w+\nAddress: AU\w+\nSalt:\n- \d+\n/)
    const second = answerOf<NewWallet>(
      await run(['wallet', 'create', '--json', '--nickname', 'two', '--file', 'two.yaml'], {
        MASSA_STORAGE_PASSWORD: 'x',
      }),
    )
    assert.equal(second.configuredIn, null)
    assert.equal((parse(readFileSync(join(dir, 'two.yaml'), 'utf8')) as { Nickname: string }).Nickname, 'two')
    assert.equal((await run(['wallet', 'address'])).stdout, `${made.address}\n`)
  })

  it('the password comes from a file, the environment or systemd, and opens what was made', async () => {
    writeFileSync(join(dir, 'pw'), 'pass word\n', { mode: 0o600 })
    mkdirSync(join(dir, 'credentials'))
    writeFileSync(join(dir, 'credentials', 'wallet-password'), 'pass word\n')
    const env = { MASSA_STORAGE_SECRET_KEY: RICH.secret }
    answerOf(await run(['wallet', 'import', '--json', '--password-file', 'pw', '--file', 'w.yaml'], env))
    const sources: readonly (readonly [readonly string[], Record<string, string>])[] = [
      [['--password-file', 'pw'], { MASSA_STORAGE_PASSWORD: 'wrong' }],
      [[], { MASSA_STORAGE_PASSWORD: 'pass word' }],
      [[], { CREDENTIALS_DIRECTORY: join(dir, 'credentials') }],
    ]
    for (const [i, [options, given]] of sources.entries()) {
      const copied = answerOf<NewWallet>(
        await run(['wallet', 'import', 'w.yaml', '--json', '--file', `${i}.yaml`, ...options], given),
      )
      assert.equal(copied.address, RICH.address)
    }
  })

  it('opens the wallet of massa-client, and says that others may read it', async () => {
    cpSync(FIXTURE, join(dir, 'theirs.yaml'))
    chmodSync(join(dir, 'theirs.yaml'), 0o644)
    const found = await run(['wallet', 'address', ...use('theirs.yaml')])
    assert.equal(found.stdout, `${THEIRS}\n`)
    assert.match(found.stderr, /^Warning: .*theirs\.yaml may be read by others.*chmod 600 it\n$/)
    const imported = answerOf<NewWallet>(
      await run(['wallet', 'import', 'theirs.yaml', '--json'], { MASSA_STORAGE_PASSWORD: 'pw' }),
    )
    assert.equal(imported.address, THEIRS)
    // Opens with the same password, under another salt.
    assert.notEqual(readFileSync(imported.file, 'utf8'), readFileSync(FIXTURE, 'utf8'))
    answerOf(await run(['wallet', 'import', imported.file, '--json', '--file', 'x'], { MASSA_STORAGE_PASSWORD: 'pw' }))
  })

  it('balance shows the coins of the wallet or of any address, and needs no password', async () => {
    writeFileSync(join(dir, 'key'), RICH.secret, { mode: 0o600 })
    const own = await run(['wallet', 'balance', ...use('key')])
    assert.equal(own.stdout, `address  ${RICH.address}\nbalance  100000 MAS\nfinal    100000 MAS\n`)
    assert.deepEqual(answerOf(await run(['wallet', 'balance', POOR.address, '--json'])), {
      address: POOR.address,
      balanceNanoMas: '0',
      finalBalanceNanoMas: '0',
    })
    const other = await runCli(['wallet', 'balance'], {
      cwd: dir,
      name: 'massa-cli',
      env: { MASSA_STORAGE_SECRET_KEY: RICH.secret },
    })
    assert.equal(other.stdout, own.stdout)
  })

  it('error: a wallet that does not open, is forged or damaged is a code and exit code 6', async () => {
    const fields = parse(readFileSync(FIXTURE, 'utf8')) as Record<string, unknown>
    const write = (name: string, changes: Record<string, unknown>) =>
      writeFileSync(join(dir, name), stringify({ ...fields, ...changes }), { mode: 0o600 })
    write('good', {})
    write('forged', { Address: RICH.address })
    writeFileSync(join(dir, 'text'), `a: ${THEIR_SECRET}`, { mode: 0o600 })
    writeFileSync(join(dir, 'empty'), '\n', { mode: 0o600 })
    const pw = { MASSA_STORAGE_PASSWORD: 'pw' }
    const cases: readonly (readonly [string, readonly string[], Record<string, string>])[] = [
      ['WALLET_PASSWORD_WRONG', ['wallet', 'import', 'good'], { MASSA_STORAGE_PASSWORD: 'pass word' }],
      [
        'WALLET_PASSWORD_WRONG',
        ['contract', 'deploy', '--yes', ...use('good')],
        { MASSA_STORAGE_PASSWORD: 'pass word' },
      ],
      ['WALLET_PASSWORD_MISSING', ['wallet', 'import', 'good'], {}],
      ['WALLET_PASSWORD_INVALID', ['wallet', 'create', '--password-file', 'empty'], pw],
      ['WALLET_FILE_INVALID', ['wallet', 'address', ...use('forged')], pw],
      ['WALLET_FILE_INVALID', ['wallet', 'import', 'forged'], pw],
      ['WALLET_FILE_INVALID', ['wallet', 'address', ...use('text')], pw],
    ]
    const results = await Promise.all(cases.map(([, args, env]) => run([...args, '--json'], env)))
    for (const [i, result] of results.entries()) refused(result, cases[i]?.[0] ?? '', 6)
    assert(!existsSync(join(dir, 'wallets')))
    assert(!readFileSync(join(dir, 'config', 'config.toml'), 'utf8').includes('key_file'))
    const plain = await run(['wallet', 'import', 'good'], { MASSA_STORAGE_PASSWORD: 'no' })
    assert.match(plain.stderr, /^massa-storage: .*good does not open with this password \(WALLET_PASSWORD_WRONG\)\n/)
  })

  it('error: wrong usage is a code and exit code 2, and no wallet is ever overwritten', async () => {
    writeFileSync(join(dir, 'there'), 'x')
    writeFileSync(join(dir, 'open'), RICH.secret, { mode: 0o644 })
    const pw = { MASSA_STORAGE_PASSWORD: 'pw' }
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['WALLET_FILE_EXISTS', ['wallet', 'create', '--file', 'there']],
      ['WALLET_FILE_EXISTS', ['wallet', 'import', FIXTURE, '--file', 'there']],
      ['WALLET_FILE_UNWRITABLE', ['wallet', 'create', '--file', 'there/below']],
      ['CHAIN_KEY_MISSING', ['wallet', 'address']],
      ['CHAIN_KEY_MISSING', ['wallet', 'balance']],
      ['CHAIN_KEY_MISSING', ['wallet', 'import']],
      ['CHAIN_KEY_INVALID', ['wallet', 'import', 'open']],
      ['CHAIN_KEY_INVALID', ['wallet', 'address', ...use('none')]],
      ['CORE_BASE58_INVALID', ['wallet', 'balance', 'AU1']],
      ['CHAIN_URL_MISSING', ['wallet', 'balance', POOR.address, '--set', 'contract.json_rpc_url=']],
      ['CHAIN_NETWORK_MISMATCH', ['wallet', 'balance', POOR.address, '--set', 'node.chain_id=78']],
      ['CLI_USAGE', ['wallet', 'balance', POOR.address, POOR.address]],
      ['CLI_USAGE', ['wallet', 'create', '--password', 'pw']],
      ['CLI_USAGE', ['wallet']],
    ]
    const results = await Promise.all(cases.map(([, args]) => run([...args, '--json'], pw)))
    for (const [i, result] of results.entries()) refused(result, cases[i]?.[0] ?? '', 2)
    assert.equal(readFileSync(join(dir, 'there'), 'utf8'), 'x')
    const away = ['wallet', 'balance', POOR.address, '--set', 'contract.json_rpc_url=http://127.0.0.1:1', '--json']
    refused(await run(away), 'CHAIN_NODE_UNREACHABLE', 3)
  })
})
