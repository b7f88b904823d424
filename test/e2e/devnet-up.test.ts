import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../config/index.ts'
import type { Clock } from '../../core/index.ts'
import { SCENARIOS, Stage } from '../../devnet/scenarios/index.ts'
import { openWallet, parseWallet } from '../../storage-worker/wallet-file.ts'
import { findSecretFiles, findSecrets, readArguments, type Secret } from './find-secrets.ts'
import { type RunningCli, runCli, startCli } from './run-cli.ts'

/** Kills of the node and of sidecars in turn; 100 by hand: DEVNET_KILL_ROUNDS=100. */
const KILL_ROUNDS = Number(process.env.DEVNET_KILL_ROUNDS ?? 2)
const LIMIT_MS = 240_000 + KILL_ROUNDS * 20_000
/** Where processes start and commands run. In turbo the chain would take all that the machine has while they do. */
const SPEED = 16

/** What sidecar-2 runs: our own command line, and a line before. */
const OWN_LINE = 'a program of its own: start'
const OWN_PROGRAM = `
console.log('a program of its own:', process.argv[2])
await import(${JSON.stringify(fileURLToPath(new URL('../../bin/massa-storage.js', import.meta.url)))})
`

const REAL_TIME: Clock = {
  nowMs: () => performance.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => {}),
}

/** One network of two sidecars for the whole file, made and ended by the command line. */
describe('e2e/devnet-up', function () {
  this.timeout(LIMIT_MS)
  let dir: string
  let network: RunningCli
  let stage: Stage
  let secrets: readonly Secret[] = []
  /** Of the files in which they may stand. */
  let ownFiles: Readonly<Record<string, string[]>> = {}
  /** By networks that ended. */
  let printed = ''

  const run = (...args: string[]) => runCli([...args, '--data-dir', 'net', '--json'], { cwd: dir })
  const start = (...pace: string[]) =>
    startCli(
      [
        ...['devnet', 'up', '-n', '2', ...pace, '--auto-ports', '--data-dir', 'net', '--json'],
        // A short memory, and blocks that cost little.
        ...['--node-option=--keep-periods 6 --endorsements 1', '--sidecar', 'sidecar-2=own-program.mjs'],
      ],
      { cwd: dir, limitMs: LIMIT_MS },
    )

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-devnet-up-'))
    writeFileSync(join(dir, 'own-program.mjs'), OWN_PROGRAM)
    network = start('--speed', `${SPEED}`)
    await network.waitFor('"event":"ready"')
    stage = await Stage.open(join(dir, 'net'), REAL_TIME)
  })

  after(async () => {
    network.child.kill('SIGTERM')
    await network.ended
    rmSync(dir, { recursive: true, force: true })
  })

  it('has said each step, and what it shows is what is there', async () => {
    const { code, stdout } = await run('devnet', 'status')
    assert.equal(code, 0)
    const report = JSON.parse(stdout)
    assert.equal(report.node.report.speed, SPEED)
    assert.match(report.registryAddress, /^AS1/)
    assert.deepEqual(
      report.sidecars.map(({ name, isRegistered, state }: Record<string, unknown>) => [name, isRegistered, state]),
      [
        ['sidecar-1', true, 'archiving'],
        ['sidecar-2', true, 'archiving'],
      ],
    )
  })

  it('has sidecars that the registry knows, with wallets that only the owner may read', async () => {
    const { sidecars } = await stage.report()
    for (const { name, address } of sidecars) {
      const args = ['node', 'info', address, '-c', join('net', name, 'config.toml'), '--json']
      const { code, stdout, stderr } = await runCli(args, { cwd: dir })
      assert.equal(code, 0, stderr)
      assert.equal(JSON.parse(stdout).stake, '10000000000')
      assert.match(readFileSync(join(dir, 'net', name, 'wallet.yaml'), 'utf8'), /CipheredData/)
    }
    await stage.until('what they may claim is in the report', async () => {
      const report = await stage.report()
      return report.sidecars.every(({ pendingRewardsNanoMas: nanoMas }) => nanoMas !== undefined)
    })
  })

  it('error: a second network in the same directory is refused, and so is a sidecar that is not there', async () => {
    const second = await run('devnet', 'up', '--auto-ports')
    assert.equal(second.code, 2)
    assert.equal(JSON.parse(second.stderr).error.code, 'DEVNET_RUNNING')
    const unknown = await run('devnet', 'kill', 'sidecar-9')
    assert.equal(JSON.parse(unknown.stderr).error.code, 'DEVNET_COMMAND_REFUSED')
  })

  it('error: a program for no sidecar, none at all, or two for one are refused', async () => {
    const refused: readonly (readonly [string[], RegExp])[] = [
      [['node=own-program.mjs'], /'node=own-program.mjs' is not like sidecar-3=program.js/],
      [['sidecar-1='], /is not like/],
      [['sidecar-1=a.js', 'sidecar-1=b.js'], /sidecar-1 has a program already/],
    ]
    for (const [programs, message] of refused) {
      const { code, stderr } = await run('devnet', 'up', ...programs.flatMap((program) => ['--sidecar', program]))
      assert.equal(code, 2)
      assert.match(stderr, message)
    }
  })

  for (const scenario of SCENARIOS.filter(({ isLong }) => !isLong)) {
    it(`${scenario.name}: ${scenario.story}`, async () => {
      // Each time: one that has started again has the speed of its network.
      await stage.link.setSpeed('turbo')
      await scenario.play(stage)
    })
  }

  it('adds a sidecar, which archives from now on, and lets it go again', async () => {
    await stage.link.setSpeed(SPEED)
    const added = await run('devnet', 'add')
    assert.equal(added.code, 0, added.stderr)
    const { name } = JSON.parse(added.stdout)
    assert.equal(name, 'sidecar-3')
    const next = await stage.nextPeriod()
    await stage.untilArchived(next)
    await stage.checkArchives(next, next)
    assert.equal((await run('devnet', 'remove', name)).code, 0)
    assert.equal((await stage.report()).sidecars.length, 2)
  })

  it('goes on through kill -9 of the node and of sidecars in turn; archives verify and roots agree', async () => {
    const names = ['node', 'sidecar-2', 'sidecar-1']
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const name = names[round % names.length] ?? 'node'
      const first = await stage.nextPeriod()
      await stage.order('kill', name)
      await stage.untilArchived(first + 1)
      // Who was away for longer than this node remembers has a gap: what it has is the same all the same.
      await stage.checkArchives(first, first + 1, false)
    }
    const { node, sidecars } = await stage.report()
    const ends = node.restarts + sidecars.reduce((sum, { restarts }) => sum + restarts, 0)
    // One whose port somebody else took meanwhile ends once more.
    assert.ok(ends >= KILL_ROUNDS, `${ends} ends`)
    // Whoever was started again runs what it was told to run.
    const countOwn = (name: string) =>
      readFileSync(join(dir, 'net/logs', `${name}.log`), 'utf8').split(OWN_LINE).length - 1
    assert.equal(countOwn('sidecar-1'), 0)
    assert.ok(countOwn('sidecar-2') > 1)
  })

  it('leaves no process and no lock on SIGTERM, and goes on where it stood', async () => {
    const before = await stage.report()
    const pids = listPids(before)
    network.child.kill('SIGTERM')
    // Once more while it is ending, in vain. Not in its last moment, when Node.js itself listens to no signal any more.
    await sleep(50)
    network.child.kill('SIGTERM')
    const { code, stdout, stderr } = await network.ended
    printed += stdout + stderr
    assert.equal(code, 130)
    assert.deepEqual(pids.filter(isAlive), [])
    assert.equal(existsSync(join(dir, 'net', 'running.json')), false)
    for (const { name } of before.sidecars) {
      const verified = await runCli(['verify', '-c', join('net', name, 'config.toml'), '--json'], { cwd: dir })
      assert.equal(verified.code, 0, `${name}: ${verified.stdout}${verified.stderr}`)
    }

    network = start('--turbo')
    await network.waitFor('"event":"ready"')
    stage = await Stage.open(join(dir, 'net'), REAL_TIME)
    const after = await stage.report()
    assert.equal(after.node.report?.speed, 'turbo')
    assert.equal(after.registryAddress, before.registryAddress)
    assert((after.node.report?.finalSlot.period ?? 0) >= (before.node.report?.finalSlot.period ?? 0))
    const next = await stage.nextPeriod()
    await stage.untilArchived(next)
    await stage.checkArchives(next, next)
    // From here on nobody waits for the chain, and in turbo it would take all that the machine has.
    await stage.link.order('pause')
  })

  it('has keys, passwords and tokens in no answer and no argument, and in files that only their owner may read', async () => {
    const report = await stage.report()
    const net = join(dir, 'net')
    const owners = await listSecrets(net)
    secrets = owners.map(({ secret }) => secret)
    const own = owners.flatMap(({ file, secret }) => (file === undefined ? [] : [[file, [secret.name]] as const]))
    ownFiles = Object.fromEntries(own.map(([file, names]) => [file, [...names]]))
    for (const [file] of own) assert.equal(statSync(join(net, file)).mode & 0o777, 0o600, file)
    const said: [string, string[]][] = [['network', findSecrets(Buffer.from(JSON.stringify(report)), secrets)]]
    const ask = async (url: string) =>
      said.push([url, findSecrets(Buffer.from(await (await fetch(url)).text()), secrets)])
    for (const { name, apiUrl } of report.sidecars) {
      for (const path of ['/ready', ...['status', 'peers', 'eras', 'challenges', 'rewards'].map((of) => `/v1/${of}`)]) {
        await ask(apiUrl + path)
      }
      const { config } = loadConfig({ cwd: net, env: {}, flags: {}, file: join(net, name, 'config.toml') })
      await ask(`http://${config.metrics.bind}/metrics`)
    }
    for (const pid of listPids(report)) said.push([`arguments of ${pid}`, findSecrets(readArguments(pid), secrets)])
    assert.deepEqual(
      said.filter(([, found]) => found.length > 0),
      [],
    )
  })

  it('ends with all of it when it is killed itself, and has left its secrets in no other file or line', async () => {
    const pids = listPids(await stage.report())
    network.child.kill('SIGKILL')
    const { stdout, stderr } = await network.ended
    assert.deepEqual(findSecrets(Buffer.from(printed + stdout + stderr), secrets), [])
    await stage.until('every process has ended', async () => !pids.some(isAlive))
    // Databases stand still: no file goes while it is looked at.
    assert.deepEqual(findSecretFiles(join(dir, 'net'), secrets), ownFiles)
    assert.equal((await run('devnet', 'status')).code, 3)
    assert.equal(readdirSync(join(dir, 'net')).includes('running.json'), true)
  })
})

/** What the network keeps secret, and in which file it stands as it is; keys of wallets stand in none. */
async function listSecrets(net: string): Promise<{ secret: Secret; file?: string }[]> {
  const read = (file: string) => readFileSync(join(net, file), 'utf8').trim()
  const { password } = JSON.parse(read('network.json')) as { password: string }
  const found = [{ secret: { name: 'password', text: password }, file: 'network.json' }]
  const wallets: { secret: Secret }[] = []
  for (const path of readdirSync(net, { recursive: true, encoding: 'utf8' })) {
    if (/(?:\.key|api\.token)$/.test(path)) found.push({ secret: { name: path, text: read(path) }, file: path })
    if (!path.endsWith('wallet.yaml')) continue
    const text = await openWallet(await parseWallet(read(path), path), password, path)
    wallets.push({ secret: { name: path, text } })
    // As a leak would look: it is found.
    assert.deepEqual(findSecrets(Buffer.from(`key ${text}`), [{ name: path, text }]), [path])
  }
  assert(wallets.length >= 3 && found.length >= 7)
  return [...found, ...wallets]
}

function listPids({
  node,
  sidecars,
}: {
  node: { pid?: number | undefined }
  sidecars: readonly { pid?: number | undefined }[]
}) {
  return [node, ...sidecars].flatMap(({ pid }) => pid ?? [])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
