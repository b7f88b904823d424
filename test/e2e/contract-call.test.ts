import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Face, GENESIS_MS, MAS, makeRequestClock, makeWallet, startFace } from '../devnet/node/face.ts'
import { CliHost } from './cli-host.ts'
import { answerOf, assertRefused, type CliResult, runCli } from './run-cli.ts'

const ADMIN = makeWallet('admin')
const NODE = makeWallet('node')
const POOR = makeWallet('poor')
const STRANGER = makeWallet('stranger')
const COUNTER = readFileSync(new URL('../fixtures/counter/counter.wasm', import.meta.url))
const UNBONDING_PERIODS = 300n
const STAKE = 10n * MAS

interface Answer {
  readonly function: string
  readonly result: unknown
  readonly events: readonly string[]
  readonly operationId?: string
  readonly feeNanoMas?: string
}

describe('massa-storage contract call', function () {
  this.timeout(240_000)
  let face: Face
  let host: CliHost
  let dir: string
  let registry: string

  const run = (args: readonly string[], options: { readonly key?: string; readonly name?: 'massa-cli' } = {}) =>
    host.run(args, {
      cwd: dir,
      env: options.key === undefined ? {} : { MASSA_STORAGE_SECRET_KEY: options.key },
      ...(options.name ? { name: options.name } : {}),
    })
  const call = (...args: string[]) => run(['contract', 'call', 'storage_registry', ...args], { key: NODE.secret })

  before(async () => {
    host = new CliHost()
    face = await startFace(makeRequestClock(15_000), [ADMIN, NODE, STRANGER])
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-call-'))
    mkdirSync(join(dir, 'config'))
    writeFileSync(
      join(dir, 'config', 'config.toml'),
      [
        '[distributed_storage]',
        '    allocated_storage_gb = 3',
        '    retention_periods = 0',
        '    [distributed_storage.node]',
        '        chain_id = 77',
        `        genesis_timestamp_ms = ${GENESIS_MS}`,
        '        poll_interval_ms = 100',
        '    [distributed_storage.contract]',
        `        json_rpc_url = "${face.url}"`,
        '',
      ].join('\n'),
    )
    writeFileSync(join(dir, 'registry.toml'), `[storage_registry]\nunbonding_periods = ${UNBONDING_PERIODS}\n`)
    const deployed = await run(['contract', 'deploy', '--yes', '--json', '--params', 'registry.toml'], {
      key: ADMIN.secret,
    })
    registry = answerOf<{ address: string }>(deployed).address
  })

  after(async () => {
    await face.close()
    await host.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const refused = (result: CliResult, code: string, exitCode: number) =>
    assertRefused(result, { code, exitCode, secrets: [NODE.secret.slice(1)] })

  const balance = (address: string) => face.chain.engine.ledger.balance(address)

  it('a node registers, is shown, leaves, and is paid', async () => {
    refused(await run(['unregister', '--yes', '--json'], { key: NODE.secret }), 'REGISTRY_NODE_UNKNOWN', 7)
    refused(await run(['register', '--json'], { key: NODE.secret }), 'CLI_NOT_CONFIRMED', 2)
    const start = balance(NODE.address)
    const registered = await run(['register', '--yes'], { key: NODE.secret })
    assert.equal(registered.code, 0, registered.stderr)
    assert.match(registered.stdout, new RegExp(`^Registered ${NODE.address}: 3 GB, stake 10 MAS\\.\\n$`))
    assert.match(registered.stderr, /stake of 10 MAS\. It is paid back 300 periods \(1 h 20 min\) after `unregister`/)
    assert.match(registered.stderr, /\n {2}allocatedGb = 3\n {2}retentionPeriods = 0\n {2}stake = 10000000000\n/)
    assert.match(registered.stderr, /Executed; waiting until it is final\.\n$/)
    assert(!registered.stderr.includes('other code'))
    // Stake, fee and the bytes of two records: of the coins for records the rest came back.
    assert.equal(start - balance(NODE.address), STAKE + MAS / 100n + 51_600_000n)
    refused(await run(['register', '--yes', '--json'], { key: NODE.secret }), 'REGISTRY_NODE_EXISTS', 7)

    const seed = await run(['sc', 'call', 'storage_registry', 'get_node_info', NODE.address], { name: 'massa-cli' })
    assert.equal(seed.code, 0, seed.stderr)
    assert.equal(seed.stdout.split('\n')[0], 'allocated_gb=3, success_rate=1.0, pending_rewards=0')
    assert.match(seed.stdout, /^registered_period +\d+$/m)
    const info = await run(['node', 'info'], { key: NODE.secret })
    assert.match(info.stdout, /^state +active$/m)
    assert.match(info.stdout, /^stake +10 MAS$/m)
    const asJson = answerOf<Record<string, unknown>>(await run(['node', 'info', NODE.address, '--json']))
    assert.equal(asJson.stake, STAKE.toString())
    assert.equal(asJson.successRate, 1)

    const leaving = await run(['unregister', '--yes'], { key: NODE.secret })
    assert.equal(leaving.code, 0, leaving.stderr)
    assert.match(
      leaving.stderr,
      /Leaving takes two calls\.[\s\S]*300 periods \(1 h 20 min\) later the same command pays 10 MAS/,
    )
    const [, from = ''] = /has left and is paid from period (\d+) on/.exec(leaving.stdout) ?? []
    refused(await run(['unregister', '--yes', '--json'], { key: NODE.secret }), 'REGISTRY_UNBONDING', 7)
    assert.match(
      (await run(['node', 'info'], { key: NODE.secret })).stdout,
      new RegExp(`^paid from +period ${from}, now`, 'm'),
    )
    while (face.chain.executedSlot.period <= Number(from)) await askStatus()
    const paid = await run(['unregister', '--yes'], { key: NODE.secret })
    assert.equal(paid.code, 0, paid.stderr)
    assert.match(paid.stdout, /is paid and no longer in the registry/)
    // All but the fees of three operations.
    assert.equal(start - balance(NODE.address), (3n * MAS) / 100n)
  })

  async function askStatus(): Promise<void> {
    await fetch(face.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"get_status","params":[]}',
    })
  }

  it('a function that writes is shown, confirmed, signed and final; a view is only read', async () => {
    const before = balance(STRANGER.address)
    const funded = answerOf<Answer>(
      await run(['sc', 'call', 'storage-registry', 'fund_rewards', '--coins', '2.5', '--yes', '--json'], {
        key: STRANGER.secret,
      }),
    )
    assert.equal(funded.function, 'fundRewards')
    assert.deepEqual(funded.events, ['REWARDS_FUNDED:2500000000'])
    assert.match(funded.operationId ?? '', /^O1/)
    assert.equal(before - balance(STRANGER.address), 2_500_000_000n + BigInt(funded.feeNanoMas ?? ''))
    const [pool, era, config, asJson, byAddress, another] = await Promise.all([
      call('getRewardPool'),
      call('get_latest_era'),
      call('get_config'),
      call('get_config', '--json'),
      run(['contract', 'call', registry, 'is_challenger', NODE.address]),
      run(['contract', 'call', 'storage_registry', 'getVersion', '--address', registry]),
    ])
    assert.equal(pool.stdout, '2500000000\n')
    assert.equal(era.stdout, 'none\n')
    assert.match(config.stdout, /^unbonding_periods +300$/m)
    assert.equal((answerOf<Answer>(asJson).result as Record<string, unknown>).unbondingPeriods, '300')
    assert.equal(byAddress.stdout, 'false\n')
    assert.equal(another.stdout, '1\n')
  })

  it('register says that a contract holds other code than this release ships', async () => {
    const shipped = readFileSync(new URL('../../massa-storage-sc/build/storage-registry.wasm', import.meta.url))
    const other = Buffer.concat([shipped, Uint8Array.of(0, 4, 3, 0x61, 0x62, 0x63)])
    writeFileSync(join(dir, 'other.wasm'), other)
    const upgraded = await run(['contract', 'upgrade', 'apply', 'other.wasm', '--yes'], { key: ADMIN.secret })
    assert.equal(upgraded.code, 0, upgraded.stderr)
    const asked = await run(['register'], { key: STRANGER.secret })
    assert.equal(asked.code, 2)
    assert.match(asked.stderr, /^Warning: AS\w+ holds other code than this release ships/)
    assert.match(asked.stderr, /CLI_NOT_CONFIRMED/)
  })

  it('--read-only tries as the wallet would, and spends nothing', async () => {
    const before = balance(STRANGER.address)
    const tried = await run(
      ['contract', 'call', 'storage_registry', 'registerStorageNode', '5', '--coins', '11', '--read-only'],
      { key: STRANGER.secret },
    )
    assert.equal(tried.code, 0, tried.stderr)
    assert.match(tried.stdout, new RegExp(`^event STORAGE_NODE_REGISTERED:${STRANGER.address},5$`, 'm'))
    assert.match(tried.stderr, /Only tried: nothing was sent\. It took \d+ gas\./)
    assert.equal(balance(STRANGER.address), before)
    refused(await call('topUpStake', '--read-only', '--json'), 'REGISTRY_NODE_UNKNOWN', 7)
  })

  it('of another contract the arguments carry their types', async () => {
    const other = face.chain.engine.placeContract(COUNTER)
    const callOther = (...args: string[]) => run(['contract', 'call', other, ...args], { key: STRANGER.secret })
    const made = answerOf<Answer>(
      await callOther('put', 'bytes:636f756e74', 'u32:8', 'u64:35', '--coins', '1', '--yes', '--json'),
    )
    assert.equal(made.function, 'put')
    const counted = await callOther('increment', 'u64:7', '--yes')
    assert.match(
      counted.stdout,
      new RegExp(`^Final: operation O1\\w+, fee 0\\.01 MAS\\.\\nevent COUNTED:${STRANGER.address},42\\n$`),
    )
    assert.match(counted.stderr, /^Call of increment at AS\w+ on network 77:\n {2}u64 = 7\nSigned and paid by AU/)
    assert.equal((await callOther('count', '--read-only', '--returns', 'u64')).stdout, '42\n')
    assert.equal((await callOther('count', '--read-only')).stdout, '2a00000000000000\n')
    const cases: readonly (readonly [string, number, readonly string[]])[] = [
      ['CONTRACT_ARGUMENT_INVALID', 2, ['count', '--read-only', '--returns', 'u32']],
      ['CONTRACT_ARGUMENT_INVALID', 2, ['count', '--read-only', '--returns', 'u33']],
      ['CONTRACT_ARGUMENT_INVALID', 2, ['count', '--returns', 'u64']],
      ['CONTRACT_ARGUMENT_INVALID', 2, ['increment', '7']],
      ['CONTRACT_FUNCTION_UNKNOWN', 2, ['incremen', 'u64:7']],
      ['CHAIN_TRIAL_FAILED', 7, ['increment', '--yes']],
    ]
    const results = await Promise.all(cases.map(([, , args]) => callOther(...args, '--json')))
    for (const [i, result] of results.entries()) refused(result, cases[i]?.[0] ?? '', cases[i]?.[1] ?? 0)
    const snake = await callOther('increment_both', '--json')
    assert.match(snake.stderr, /NO_OTHER/)
  })

  it('massa-cli has the commands of the archive below storage, and writes what massa-storage writes', async () => {
    const runAlone = (...args: string[]) => runCli(args, { cwd: dir, name: 'massa-cli' })
    const [one, two] = await Promise.all([
      runAlone('storage', 'list-chunks', '--json'),
      runCli(['list-chunks', '--json'], { cwd: dir }),
    ])
    assert.deepEqual(one, two)
    refused(one, 'STORE_MISSING', 2)
    const help = await runAlone('storage', 'list-chunks', '--help')
    assert.match(help.stdout, /\nExample:\n {2}massa-cli storage list-chunks --period 100\.\.110\n/)
    assert.match((await runAlone('wallet', '--help')).stdout, /\nExample:\n {2}massa-cli wallet create\n/)
    const wrong = await runAlone('list-chunks')
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /^massa-storage: unknown command 'list-chunks' \(CLI_USAGE\)/)
  })

  it('error: what is wrong is a code and an exit code, and nothing is spent', async () => {
    const before = balance(STRANGER.address)
    const none = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
    const on = ['contract', 'call', 'storage_registry'] as const
    const cases: readonly (readonly [string, number, readonly string[]])[] = [
      ['CONTRACT_FUNCTION_UNKNOWN', 2, [...on, 'getNodeInf', NODE.address]],
      ['CONTRACT_FUNCTION_UNKNOWN', 2, [...on, 'update_config', '1']],
      ['CONTRACT_ARGUMENT_INVALID', 2, [...on, 'getNodeInfo']],
      ['CONTRACT_ARGUMENT_INVALID', 2, [...on, 'getVersion', '--coins', '1']],
      ['CONTRACT_ARGUMENT_INVALID', 2, [...on, 'getVersion', '--returns', 'u32']],
      ['CONTRACT_ARGUMENT_INVALID', 2, ['contract', 'call', NODE.address, 'getVersion']],
      ['CONTRACT_NOT_FOUND', 1, ['contract', 'call', none, 'add', 'u64:1']],
      ['REGISTRY_ADDRESS_INVALID', 2, [...on, 'getNodeInfo', 'AU1']],
      ['REGISTRY_NODE_UNKNOWN', 7, [...on, 'getNodeInfo', POOR.address]],
      ['REGISTRY_NOT_ADMIN', 7, [...on, 'setPaused', 'true', '--yes']],
      ['CLI_NOT_CONFIRMED', 2, [...on, 'fundRewards', '--coins', '1']],
      ['CHAIN_BALANCE_SHORT', 2, [...on, 'fundRewards', '--coins', '200000', '--yes']],
      ['CLI_USAGE', 2, [...on, 'fundRewards', '--coins', '0.0000000001']],
      ['CLI_USAGE', 2, [...on]],
      ['CORE_BASE58_INVALID', 2, ['node', 'info', 'x']],
      ['CLI_NO_REGISTRY', 2, ['node', 'info', NODE.address, '--set', 'storage_registry_address=']],
      ['CLI_USAGE', 2, ['register', '--gb', 'x']],
      ['REGISTRY_GB_OUT_OF_RANGE', 7, ['register', '--gb', '99999', '--yes']],
      ['REGISTRY_STAKE_LOW', 7, ['register', '--stake', '1', '--yes']],
    ]
    const results = await Promise.all(cases.map(([, , args]) => run([...args, '--json'], { key: STRANGER.secret })))
    for (const [i, result] of results.entries()) refused(result, cases[i]?.[0] ?? '', cases[i]?.[1] ?? 0)
    refused(await run([...on, 'claimRewards', '--json']), 'CHAIN_KEY_MISSING', 2)
    refused(await run(['node', 'info', '--json']), 'CHAIN_KEY_MISSING', 2)
    assert.equal(balance(STRANGER.address), before)
  })
})
