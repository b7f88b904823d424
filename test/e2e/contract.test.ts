import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Face, GENESIS_MS, makeRequestClock, makeWallet, startFace } from '../devnet/node/face.ts'
import { CliHost } from './cli-host.ts'
import { assertRefused, type CliResult, runCli, startCli } from './run-cli.ts'

const ADMIN = makeWallet('admin')
const POOR = makeWallet('poor')
/** An operation is sent well before it expires, and final within a few looks. */
const STEP_MS = 15_000

describe('massa-storage contract', function () {
  this.timeout(180_000)
  let face: Face
  let host: CliHost
  let dir: string

  before(async () => {
    host = new CliHost()
    face = await startFace(makeRequestClock(STEP_MS), [ADMIN])
  })

  after(async () => {
    await face.close()
    await host.stop()
  })

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-contract-'))
    mkdirSync(join(dir, 'config'))
    writeFileSync(join(dir, 'key'), `${ADMIN.secret}\n`, { mode: 0o600 })
    configure()
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  function configure(changes: { readonly url?: string; readonly chainId?: number; readonly more?: string } = {}): void {
    writeFileSync(
      join(dir, 'config', 'config.toml'),
      [
        '# mine',
        '[distributed_storage]',
        `    ${changes.more ?? ''}`,
        '    [distributed_storage.node]',
        `        chain_id = ${changes.chainId ?? 77}`,
        `        genesis_timestamp_ms = ${GENESIS_MS}`,
        '        poll_interval_ms = 100',
        '    [distributed_storage.contract]',
        `        json_rpc_url = "${changes.url ?? face.url}"`,
        '        key_file = "key"',
        '        call_timeout_ms = 10_000',
        '',
      ].join('\n'),
    )
  }

  const run = (...args: string[]) => host.run(args, { cwd: dir })
  const runAlone = (...args: string[]) => runCli(args, { cwd: dir })
  const params = (lines: string) => {
    writeFileSync(join(dir, 'registry.toml'), `[storage_registry]\n${lines}\n`)
    return 'registry.toml'
  }

  async function deploy(lines = ''): Promise<string> {
    const { code, stdout, stderr } = await run('contract', 'deploy', '--yes', '--json', '--params', params(lines))
    assert.equal(code, 0, stderr)
    return (JSON.parse(stdout) as { address: string }).address
  }

  const refused = (result: CliResult, code: string, exitCode = 2) =>
    assertRefused(result, { code, exitCode, secrets: [ADMIN.secret.slice(1)] })

  it('deploy shows the price, deploys, and writes the address into the configuration', async () => {
    const { code, stdout, stderr } = await runAlone('contract', 'deploy', '--yes')
    assert.equal(code, 0, stderr)
    const [, address = ''] = /^Deployed (AS\w+)\.$/m.exec(stdout) ?? []
    assert.match(
      stderr,
      /MAS:\n {2}4\.\d+ for \d+ bytes of code.*\n {2}0\.\d+ for the first records\n {2}0\.01 fee\n {2}4\.\d+ in all/,
    )
    const config = readFileSync(join(dir, 'config', 'config.toml'), 'utf8')
    assert.match(
      config,
      new RegExp(`^# mine\n\\[distributed_storage\\]\n {4}storage_registry_address = "${address}"$`, 'm'),
    )

    const shown = await runAlone('contract', 'show', '--json')
    const registry = JSON.parse(shown.stdout) as Record<string, unknown>
    assert.equal(registry.address, address)
    assert.equal(registry.admin, ADMIN.address)
    assert.deepEqual(registry.pending, [])
    const verified = await runAlone('contract', 'verify')
    assert.equal(verified.code, 0)
    assert.match(verified.stdout, /holds the code of this release/)
    refused(await runAlone('contract', 'deploy', '--yes', '--json'), 'CONTRACT_EXISTS')
  })

  it('spends nothing without a yes where there is nobody to ask', async () => {
    const { ledger } = face.chain.engine
    const before = ledger.balance(ADMIN.address)
    refused(await run('contract', 'deploy', '--json'), 'CLI_NOT_CONFIRMED')
    assert.equal(ledger.balance(ADMIN.address), before)
  })

  it('verify tells other code by exit code 5', async () => {
    const address = face.chain.engine.placeContract(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
    refused(await run('contract', 'verify', '--address', address, '--json'), 'CONTRACT_CODE_DIFFERENT', 5)
    const none = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
    refused(await run('contract', 'verify', '--address', none, '--json'), 'CONTRACT_NOT_FOUND', 1)
  })

  it('settings change in two commands', async () => {
    await deploy('admin_delay_periods = 30')
    const file = params('slash_percentage = 25')
    refused(await run('contract', 'config', 'apply', file, '--yes', '--json'), 'CONTRACT_NOT_ANNOUNCED')
    const announced = await run('contract', 'config', 'announce', file, '--yes')
    assert.equal(announced.code, 0, announced.stderr)
    assert.match(announced.stderr, /slash_percentage: 10 -> 25/)
    assert.match(announced.stdout, /may be applied from period \d+ on/)
    const again = await run('contract', 'config', 'announce', file, '--yes')
    assert.match(again.stderr, /announced already/)
    const pending = JSON.parse((await run('contract', 'config', 'show', '--json')).stdout) as {
      pending: { fromPeriod: number; isDue: boolean }
    }
    assert.equal(typeof pending.pending.fromPeriod, 'number')
    // Who registers is told, and so is whoever looks at a node.
    const told =
      /^(?:Warning: )?New settings announced in period \d+, .* may be applied (?:now|from period \d+ on), up to period \d+\.$/m
    const registered = await run('register', '--gb', '3', '--yes')
    assert.equal(registered.code, 0, registered.stderr)
    assert.match(registered.stderr, told)
    assert.match((await run('node', 'info')).stdout, told)
    assert.match((await run('contract', 'show')).stdout, told)
    while (face.chain.executedSlot.period <= pending.pending.fromPeriod) {
      await fetch(face.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"get_status","params":[]}',
      })
    }
    const applied = await run('contract', 'config', 'apply', file, '--yes')
    assert.equal(applied.code, 0, applied.stderr)
    const shown = JSON.parse((await run('contract', 'show', '--json')).stdout) as { config: Record<string, unknown> }
    assert.equal(shown.config.slash_percentage, '25')
  })

  it('code changes in one command where the delay is 0, and verify then says so', async () => {
    await deploy()
    const shipped = readFileSync(new URL('../../massa-storage-sc/build/storage-registry.wasm', import.meta.url))
    writeFileSync(join(dir, 'new.wasm'), Buffer.concat([shipped, Uint8Array.of(0, 4, 3, 0x61, 0x62, 0x63)]))
    refused(await run('contract', 'upgrade', 'announce', 'new.wasm', '--yes', '--json'), 'CONTRACT_NO_DELAY')
    const applied = await run('contract', 'upgrade', 'apply', 'new.wasm', '--yes')
    assert.equal(applied.code, 0, applied.stderr)
    refused(await run('contract', 'verify', '--json'), 'CONTRACT_CODE_DIFFERENT', 5)
    const back = await run('contract', 'upgrade', 'apply', '--yes')
    assert.equal(back.code, 0, back.stderr)
    assert.equal((await run('contract', 'verify')).code, 0)
    writeFileSync(join(dir, 'text.wasm'), shipped.subarray(0, 1_000))
    refused(await run('contract', 'upgrade', 'apply', 'text.wasm', '--yes', '--json'), 'REGISTRY_CODE_INVALID')
    refused(await run('contract', 'upgrade', 'apply', 'none.wasm', '--yes', '--json'), 'REGISTRY_CODE_INVALID')
  })

  it('error: what is wrong in settings, key, network or node is a code and an exit code', async () => {
    writeFileSync(join(dir, 'a.toml'), '[storage_registry]\nslash_percentage = 101\n')
    writeFileSync(join(dir, 'b.toml'), '[storage_registry]\nslash = 1\n')
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['REGISTRY_CONFIG_INVALID', ['deploy', '--yes', '--params', 'a.toml']],
      ['CONFIG_KEY_UNKNOWN', ['deploy', '--yes', '--params', 'b.toml']],
      ['CONFIG_PARAMS_MISSING', ['deploy', '--yes', '--params', 'none.toml']],
      ['REGISTRY_ADDRESS_INVALID', ['deploy', '--yes', '--admin', 'AU1']],
      ['CLI_NO_REGISTRY', ['show']],
      ['CONFIG_VALUE_INVALID', ['config', 'show', '--address', 'AU1']],
      ['CLI_USAGE', ['config', 'announce']],
    ]
    const results = await Promise.all(cases.map(([, args]) => run('contract', ...args, '--json')))
    for (const [i, result] of results.entries()) refused(result, cases[i]?.[0] ?? '')
    configure({ chainId: 78 })
    refused(await run('contract', 'deploy', '--yes', '--json'), 'CHAIN_NETWORK_MISMATCH')
    configure({ url: '' })
    refused(await run('contract', 'deploy', '--yes', '--json'), 'CHAIN_URL_MISSING')
    configure({ url: 'http://127.0.0.1:1' })
    refused(await run('contract', 'deploy', '--yes', '--json'), 'CHAIN_NODE_UNREACHABLE', 3)
    configure()
    rmSync(join(dir, 'key'))
    refused(await run('contract', 'deploy', '--yes', '--json'), 'CHAIN_KEY_INVALID')
    writeFileSync(join(dir, 'key'), ADMIN.secret, { mode: 0o644 })
    refused(await run('contract', 'deploy', '--yes', '--json'), 'CHAIN_KEY_INVALID')
    const poor = await host.run(['contract', 'deploy', '--yes', '--json'], {
      cwd: dir,
      env: { MASSA_STORAGE_SECRET_KEY: POOR.secret },
    })
    refused(poor, 'CHAIN_BALANCE_SHORT')
  })

  it('error: a change that changes nothing is refused and not sent', async () => {
    await deploy()
    const { ledger } = face.chain.engine
    const before = ledger.balance(ADMIN.address)
    const file = params('slash_percentage = 10')
    for (const step of ['announce', 'apply']) {
      refused(await run('contract', 'config', step, file, '--yes', '--json'), 'CONTRACT_UNCHANGED')
    }
    refused(await run('contract', 'upgrade', 'apply', '--yes', '--json'), 'CONTRACT_UNCHANGED')
    assert.equal(ledger.balance(ADMIN.address), before)
  })

  it('error: code that compiles and cannot start on the chain is refused', async () => {
    await deploy()
    const shipped = readFileSync(new URL('../../massa-storage-sc/build/storage-registry.wasm', import.meta.url))
    // An import that no node has.
    const text = Buffer.from(shipped)
    const at = text.indexOf('assembly_script_')
    assert(at > 0)
    text.write('assembly_scripx_', at)
    writeFileSync(join(dir, 'new.wasm'), text)
    const result = await run('contract', 'upgrade', 'apply', 'new.wasm', '--yes', '--json')
    refused(result, 'REGISTRY_CODE_INVALID')
    assert.match(result.stderr, /the code does not run/)
  })

  it('deploy run again after a kill finds what was sent and pays nothing more', async () => {
    const { ledger } = face.chain.engine
    const before = ledger.balance(ADMIN.address)
    const running = startCli(['contract', 'deploy', '--yes'], { cwd: dir })
    await new Promise<void>((resolve) => {
      let said = ''
      running.child.stderr?.on('data', (bytes) => {
        said += bytes
        if (said.includes('Sent as operation')) resolve()
      })
    })
    running.child.kill('SIGKILL')
    await running.ended
    const note = join(dir, 'config', 'deployment-77.json')
    const { signed } = JSON.parse(readFileSync(note, 'utf8')) as { signed: { operationId: string } }
    // Asked for something else now, he must not be told that he has it.
    const others = params('slash_percentage = 20')
    refused(await run('contract', 'deploy', '--yes', '--json', '--params', others), 'CONTRACT_DEPLOYING')
    refused(await run('contract', 'deploy', '--yes', '--json', '--admin', POOR.address), 'CONTRACT_DEPLOYING')
    const again = await runAlone('contract', 'deploy', '--yes', '--json')
    assert.equal(again.code, 0, again.stderr)
    const { address, operationId, priceNanoMas, feeNanoMas } = JSON.parse(again.stdout) as Record<
      'address' | 'operationId' | 'priceNanoMas' | 'feeNanoMas',
      string
    >
    assert.equal(operationId, signed.operationId)
    assert.equal(before - ledger.balance(ADMIN.address), BigInt(priceNanoMas) + BigInt(feeNanoMas))
    assert(readFileSync(join(dir, 'config', 'config.toml'), 'utf8').includes(address))
    assert(!existsSync(note))
  })

  it('error: on mainnet refuses settings without anchors', async () => {
    const mainnet = await startFace(makeRequestClock(STEP_MS), [ADMIN], { chainId: 77_658_377n })
    try {
      configure({ url: mainnet.url, chainId: 77_658_377 })
      refused(await run('contract', 'deploy', '--yes', '--json'), 'REGISTRY_MAINNET_REFUSED')
      assert.equal(mainnet.chain.operations.size, 0)
    } finally {
      await mainnet.close()
    }
  })

  it('start says how to deploy, --auto-deploy asks first, and with --yes deploys and starts', async () => {
    const file = join(dir, 'config', 'config.toml')
    configure({ more: 'enabled = true' })
    const text = readFileSync(file, 'utf8').replace('genesis_', 'grpc_urls = ["127.0.0.1:1"]\n        genesis_')
    writeFileSync(
      file,
      `${text}\n[distributed_storage.api]\nbind = "127.0.0.1:0"\n[distributed_storage.metrics]\nenabled = false\n`,
    )
    const untilStarted = async (...args: string[]) => {
      const running = startCli(['start', ...args, '--log-format', 'human'], { cwd: dir })
      await running.waitFor('massa-storage started')
      running.child.kill('SIGTERM')
      return running.ended
    }
    const plain = await untilStarted()
    assert.equal(plain.code, 0)
    assert.match(
      plain.stdout,
      /INFO.*no storage-registry is configured.*massa-storage contract deploy.*start --auto-deploy/i,
    )
    assert.equal(plain.stdout.split('no storage-registry').length, 2)
    refused(await runAlone('start', '--auto-deploy', '--json'), 'CLI_NOT_CONFIRMED')
    assert(!readFileSync(file, 'utf8').includes('storage_registry_address'))
    const deployed = await untilStarted('--auto-deploy', '--yes', '--params', params('admin_delay_periods = 7'))
    assert.equal(deployed.code, 0)
    const [, address = ''] = /^Deployed (AS\w+)\.$/m.exec(deployed.stdout) ?? []
    assert(readFileSync(file, 'utf8').includes(`storage_registry_address = "${address}"`))
    const shown = JSON.parse((await run('contract', 'show', '--json')).stdout) as { config: Record<string, unknown> }
    assert.equal(shown.config.admin_delay_periods, '7')
  })
})
